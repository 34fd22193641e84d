// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * Every finding, one machine at least for each code: its witness path and its text, and that each
 * remedy it offers, applied to the machine, removes it.
 */
#include "isolate/finding_machines.h"

/* What the path of a finding ends at. */
enum ending {
	NO_PATH,
	AT_BLOCKER, /* the blocker's registers, begun at the subject */
	AT_VECTORS, /* the blocker's interrupts */
	AT_SUBJECT, /* told from the other side: begun at the blocker */
	AT_MEMORY,
	AT_HOST, /* every interrupt of the host, or those of an IOMMU */
};

struct row {
	const char *code;
	/* mended: as the machine is once a remedy of the rebuilding kind was followed. */
	void (*build)(struct make *m, bool mended);
	const char *claimed;
	enum ending ending;
	/* Kinds of remedies that must be offered, as bits. */
	unsigned int remedies;
	enum ward_policy policy;
	/* What the state needs beyond drivers and owners. */
	void (*prepare)(struct make *m);
};

#define R(kind) (1u << WARD_REMEDY_##kind)

#define STRICT WARD_POLICY_STRICT
#define LINUX WARD_POLICY_LINUX

static const struct row rows[] = {
	{ "absent", plain, "01:00.0", NO_PATH, 0, STRICT, not_there },
	{ "not-assignable", plain, "00:1c.0", NO_PATH, R(USE_OTHER_FUNCTION), STRICT, NULL },
	{ "already-owned", owned_by_other, "01:00.0", NO_PATH, R(USE_OTHER_FUNCTION), STRICT,
	  NULL },
	{ "no-iommu", untranslated, "01:00.0", AT_MEMORY, R(ENABLE_IOMMU), STRICT, NULL },
	{ "no-iommu", untranslated, "01:00.0", AT_MEMORY, R(ENABLE_IOMMU), LINUX, NULL },
	{ "no-iommu", untranslated_undescribed, "01:00.0", AT_MEMORY, R(ENABLE_IOMMU) | R(FIRMWARE),
	  STRICT, NULL },
	{ "no-iommu", iommu_not_used, "01:00.0", AT_MEMORY, R(ENABLE_IOMMU), STRICT, NULL },
	{ "no-iommu", untranslated_arm, "01:00.0", AT_MEMORY, R(FIRMWARE), STRICT, NULL },
	{ "no-iommu", untranslated_peer, "03:00.0", AT_MEMORY,
	  R(ENABLE_IOMMU) | R(ENABLE_ACS) | R(WAIVE), STRICT, NULL },
	{ "no-iommu", untranslated_peer_moved, "03:00.0", AT_MEMORY, R(ENABLE_IOMMU) | R(MOVE_CARD),
	  STRICT, NULL },
	{ "space-identity", in_identity, "01:00.0", AT_MEMORY, R(OTHER_SPACE) | R(WAIVE), STRICT,
	  NULL },
	{ "space-identity", in_identity, "01:00.0", AT_MEMORY, R(OTHER_SPACE), LINUX, NULL },
	{ "space-identity", identity_peer, "03:00.0", AT_MEMORY,
	  R(OTHER_SPACE) | R(ENABLE_ACS) | R(WAIVE), STRICT, NULL },
	{ "space-identity", identity_peer_unread, "03:00.0", AT_MEMORY, R(OTHER_SPACE), STRICT,
	  NULL },
	{ "iommu-unknown", iommu_unread, "01:00.0", AT_MEMORY, R(LOOK_AS_ROOT), STRICT, NULL },
	{ "iommu-unknown", iommu_unread, "01:00.0", AT_MEMORY, R(LOOK_AS_ROOT), LINUX, NULL },
	{ "iommu-unknown", iommu_of_peer_unread, "03:00.0", AT_MEMORY, R(LOOK_AS_ROOT), STRICT,
	  NULL },
	{ "stream-in-use", stream_in_use, "02:01.0", NO_PATH, R(USE_OTHER_FUNCTION), STRICT, NULL },
	{ "stream-in-use", stream_maybe_in_use, "02:01.0", NO_PATH, R(USE_OTHER_FUNCTION), LINUX,
	  NULL },
	{ "vfs-enabled", pf_with_vfs, "01:00.0", NO_PATH, R(VFS_OFF), LINUX, NULL },
	{ "vfs-enabled", driven_pf_with_vfs, "01:00.0", NO_PATH, R(VFS_OFF), STRICT, NULL },
	{ "rmrr", with_rmrr, "01:00.0", NO_PATH, R(FIRMWARE), STRICT, NULL },
	{ "driver-bound", sibling_bound, "01:00.0", NO_PATH, R(UNBIND) | R(CLAIM_TOO), STRICT,
	  NULL },
	{ "driver-bound", sibling_bound, "01:00.0", NO_PATH, R(UNBIND) | R(CLAIM_TOO), LINUX,
	  NULL },
	{ "group-split", sibling_owned, "01:00.0", NO_PATH, R(CLAIM_TOO), STRICT, NULL },
	{ "requester-alias", ids_shared, "01:00.0", AT_BLOCKER, R(UNBIND) | R(CLAIM_TOO) | R(WAIVE),
	  STRICT, NULL },
	{ "peer-dma", switch_off, "03:00.0", AT_BLOCKER,
	  R(UNBIND) | R(CLAIM_TOO) | R(ENABLE_ACS) | R(WAIVE), STRICT, NULL },
	{ "peer-dma", switch_off, "03:00.0", AT_BLOCKER, R(ENABLE_ACS), LINUX, NULL },
	{ "peer-dma", switch_without, "03:00.0", AT_BLOCKER, R(MOVE_CARD), STRICT, NULL },
	{ "peer-dma", switch_never, "03:00.0", AT_BLOCKER, R(MOVE_CARD), STRICT, NULL },
	{ "peer-dma", switch_egress, "03:00.0", AT_BLOCKER, R(ENABLE_ACS), STRICT, NULL },
	{ "peer-dma", upstream_registers, "03:00.0", AT_BLOCKER, R(ENABLE_ACS), STRICT, NULL },
	{ "peer-dma", sibling_root_ports, "01:00.0", AT_BLOCKER, R(ENABLE_ACS), STRICT, NULL },
	{ "peer-dma", peer_of_other, "03:00.0", AT_BLOCKER, R(CLAIM_TOO) | R(ENABLE_ACS), STRICT,
	  NULL },
	{ "peer-dma", registers_mapped, "03:00.0", AT_BLOCKER,
	  R(OTHER_SPACE) | R(UNBIND) | R(CLAIM_TOO) | R(WAIVE), STRICT, NULL },
	{ "peer-dma", registers_mapped_for_peer, "03:00.0", AT_BLOCKER,
	  R(OTHER_SPACE) | R(ENABLE_ACS), STRICT, NULL },
	{ "pf-controls-vf", pf_and_vf, "01:00.0", AT_BLOCKER, R(UNBIND) | R(CLAIM_TOO) | R(WAIVE),
	  STRICT, NULL },
	{ "backdoor", nvidia, "01:00.0", AT_BLOCKER, R(UNBIND) | R(CLAIM_TOO) | R(WAIVE), STRICT,
	  NULL },
	{ "reached-by-other", reached, "04:00.0", AT_SUBJECT, R(CLAIM_TOO) | R(WAIVE), STRICT,
	  NULL },
	{ "reached-by-other", maybe_reached, "04:00.0", AT_SUBJECT, R(CLAIM_TOO), STRICT, NULL },
	{ "acs-unknown", acs_unread, "03:00.0", AT_BLOCKER, R(LOOK_AS_ROOT), STRICT, NULL },
	{ "acs-unknown", acs_unread, "03:00.0", AT_BLOCKER, R(LOOK_AS_ROOT), LINUX, NULL },
	{ "acs-unknown", acs_asleep, "03:00.0", AT_BLOCKER, R(WAKE), STRICT, NULL },
	{ "acs-unknown", acs_of_chipset, "01:00.0", AT_BLOCKER, 0, STRICT, NULL },
	{ "acs-unknown", bridge_unread, "03:00.0", AT_BLOCKER, R(LOOK_AS_ROOT), STRICT, NULL },
	{ "msi-not-isolated", with_apic, "01:00.0", AT_HOST, R(ENABLE_REMAP) | R(WAIVE), STRICT,
	  NULL },
	{ "msi-not-isolated", with_mbi, "01:00.0", AT_HOST, R(WAIVE), STRICT, NULL },
	{ "msi-frame-shared", with_frame, "01:00.0", AT_VECTORS,
	  R(USE_INTX) | R(UNBIND) | R(CLAIM_TOO) | R(WAIVE), STRICT, NULL },
	{ "msi-frame-shared", with_frame, "01:00.0", AT_VECTORS, R(USE_INTX), LINUX, NULL },
	{ "msi-frame-shared", frame_and_port, "01:00.0", AT_VECTORS, R(UNBIND), STRICT, NULL },
	{ "msi-frame-shared", frame_and_vf, "01:00.0", AT_VECTORS, R(UNBIND) | R(CLAIM_TOO), STRICT,
	  NULL },
	{ "msi-frame-shared", frame_and_pinless, "01:00.0", AT_VECTORS, R(UNBIND) | R(CLAIM_TOO),
	  STRICT, NULL },
	{ "msi-frame-shared", frame_and_client, "01:00.0", AT_VECTORS, R(CLAIM_TOO) | R(WAIVE),
	  STRICT, NULL },
	{ "msi-frame-shared", frame_and_iommu, "01:00.0", AT_HOST, R(WAIVE), STRICT, NULL },
	{ "msi-frame-shared", frame_and_platform, "01:00.0", AT_VECTORS, R(UNBIND) | R(WAIVE),
	  STRICT, NULL },
	{ "msi-id-shared", one_devid, "01:00.0", AT_VECTORS, R(UNBIND) | R(CLAIM_TOO) | R(WAIVE),
	  STRICT, NULL },
	{ "msi-id-shared", source_check, "01:00.0", AT_VECTORS, R(UNBIND) | R(CLAIM_TOO) | R(WAIVE),
	  STRICT, NULL },
	{ "msi-unknown", controller_unread, "01:00.0", AT_HOST, R(LOOK_AS_ROOT), STRICT, NULL },
	{ "msi-unknown", controller_unread, "01:00.0", NO_PATH, R(LOOK_AS_ROOT), LINUX, NULL },
	{ "msi-unknown", frame_unknown, "01:00.0", AT_VECTORS, R(USE_INTX), STRICT, NULL },
	{ "msi-unknown", frame_and_iommu_unknown, "01:00.0", AT_HOST, R(WAIVE), STRICT, NULL },
	{ "ats-trusted", ats_on, "01:00.0", AT_MEMORY, R(ATS_OFF) | R(WAIVE), STRICT, NULL },
	{ "ats-trusted", ats_unread, "01:00.0", AT_MEMORY, R(LOOK_AS_ROOT), STRICT, NULL },
	{ "ats-trusted", ats_of_peer, "03:00.0", AT_MEMORY, R(ATS_OFF) | R(MOVE_CARD), STRICT,
	  NULL },
	{ "unsafe-interrupts", frame_alone, "01:00.0", NO_PATH, R(ALLOW_UNSAFE), LINUX, NULL },
	{ "kernel-group-too-small", switch_off, "03:00.0", AT_BLOCKER, R(ENABLE_ACS) | R(CLAIM_TOO),
	  STRICT, NULL },
	{ "kernel-group-too-small", switch_without, "03:00.0", AT_BLOCKER, R(MOVE_CARD), LINUX,
	  NULL },
	{ "table-broken", table_broken, "01:00.0", NO_PATH, R(FIRMWARE), STRICT, NULL },
	{ "table-unreadable", table_unreadable, "01:00.0", NO_PATH, 0, STRICT, NULL },
	{ "table-unsupported", table_unsupported, "01:00.0", NO_PATH, 0, STRICT, NULL },
	{ "iommu-contradiction", iommu_contradiction, "01:00.0", NO_PATH, 0, STRICT, NULL },
	{ "config-unreadable", config_unreadable, "01:00.0", NO_PATH, 0, STRICT, NULL },
	{ "config-broken", config_broken, "01:00.0", NO_PATH, 0, STRICT, NULL },
	{ "tree-incomplete", tree_incomplete, "01:00.0", NO_PATH, 0, STRICT, NULL },
	{ "reset-scope", bus_reset, "01:00.0", NO_PATH, R(UNBIND) | R(CLAIM_TOO), STRICT, NULL },
	{ "reset-scope", bus_reset_below, "02:00.0", NO_PATH, R(UNBIND) | R(CLAIM_TOO), STRICT,
	  NULL },
	{ "no-reset", no_reset, "00:02.0", NO_PATH, R(USE_OTHER_FUNCTION), STRICT, NULL },
	{ "intx-shared", shared_line, "01:00.0", NO_PATH, R(UNBIND), STRICT, on_one_line },
	{ "pri-shared", page_requests, "01:00.0", NO_PATH, 0, STRICT, NULL },
	{ "backdoor-own", nvidia, "01:00.0", NO_PATH, 0, STRICT, NULL },
	{ "peer-unowned", peer_unowned, "03:00.0", AT_BLOCKER, R(CLAIM_TOO), STRICT, NULL },
	{ "own-driver", own_driver, "01:00.0", NO_PATH, R(UNBIND), STRICT, NULL },
	{ "rmrr-relaxable", with_relaxable, "01:00.0", NO_PATH, 0, STRICT, NULL },
	{ "persistent-state", with_rom, "01:00.0", NO_PATH, 0, STRICT, NULL },
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

/* The same finding in another machine, by names; it counts as gone when it weighs nothing now. */
static bool is_still_there(const struct ward_machine *machine, const struct ward_finding *was,
			   const struct ward_machine *other, const struct ward_verdict *verdict)
{
	for (uint32_t i = 0; i < verdict->findings_count; i++) {
		const struct ward_finding *now = &verdict->findings[i];

		if (strcmp(now->code, was->code) != 0 || now->waived ||
		    strcmp(other->functions[now->subject].name,
			   machine->functions[was->subject].name) != 0 ||
		    (now->blocker == WARD_NONE) != (was->blocker == WARD_NONE))
			continue;
		if (now->blocker != WARD_NONE && strcmp(other->functions[now->blocker].name,
							machine->functions[was->blocker].name) != 0)
			continue;
		if (was->weight == WARD_NOTE || now->weight != WARD_NOTE)
			return true;
	}
	return false;
}

/* Supposes something and judges again. */
static bool gone_when(struct make *m, const struct row *row, const struct ward_finding *finding,
		      struct ward_supposition what, bool unsafe_allowed)
{
	struct make then = { .machine = NULL };
	bool there;

	assert_int_equal(ward_suppose(m->machine, m->state, &what, 1, &then.machine, &then.state,
				      NULL),
			 0);
	if (unsafe_allowed)
		then.machine->unsafe_interrupts_allowed = WARD_YES;
	assert_int_equal(ward_isolation_create(then.machine, then.state, &then.isolation), 0);
	there = is_still_there(m->machine, finding, then.machine,
			       judged(&then, row->policy, NULL, row->claimed));
	make_free(&then);
	return !there;
}

static bool gone_when_rebuilt(struct make *m, const struct row *row,
			      const struct ward_finding *finding)
{
	static struct make then;
	bool there;

	row->build(&then, true);
	make_done(&then);
	if (row->prepare)
		row->prepare(&then);
	there = is_still_there(m->machine, finding, then.machine,
			       judged(&then, row->policy, NULL, row->claimed));
	make_free(&then);
	return !there;
}

/* Asks again in the same machine, for another client, for more functions, or with a waiver. */
static bool gone_when_asked(struct make *m, const struct row *row,
			    const struct ward_finding *finding, uint32_t client, uint32_t too,
			    const struct ward_waiver *waiver)
{
	uint32_t functions[2] = { at(m, row->claimed), too };
	struct ward_question question = {
		.size = sizeof(question),
		.functions = functions,
		.functions_count = too == WARD_NONE ? 1 : 2,
		.client = client,
		.policy = row->policy,
		.waivers = waiver,
		.waivers_count = waiver ? 1 : 0,
	};
	struct ward_verdict *verdict;
	bool there;

	assert_int_equal(ward_check(m->isolation, m->state, &question, &verdict), 0);
	there = is_still_there(m->machine, finding, m->machine, verdict);
	ward_verdict_destroy(verdict);
	return !there;
}

static bool gone_when_waived(struct make *m, const struct row *row,
			     const struct ward_finding *finding)
{
	struct ward_waiver by_address = {
		.code = finding->code,
		.address = m->machine->functions[finding->subject].address,
	};
	struct ward_waiver elsewhere = { .code = finding->code };
	struct ward_waiver by_code = { .code = finding->code, .any_function = true };
	struct ward_waiver other = { .code = "no-such-code", .any_function = true };

	return gone_when_asked(m, row, finding, WARD_NONE, WARD_NONE, &by_address) &&
	       gone_when_asked(m, row, finding, WARD_NONE, WARD_NONE, &by_code) &&
	       !gone_when_asked(m, row, finding, WARD_NONE, WARD_NONE, &elsewhere) &&
	       !gone_when_asked(m, row, finding, WARD_NONE, WARD_NONE, &other);
}

static bool gone_with_client(struct make *m, const struct row *row,
			     const struct ward_finding *finding, uint32_t subject)
{
	const struct ward_owner *owner = &m->state->functions[subject].owner;

	if (owner->kind == WARD_OWNER_CLIENT)
		return gone_when_asked(m, row, finding, owner->client, WARD_NONE, NULL);
	return gone_when_asked(m, row, finding, WARD_NONE, subject, NULL);
}

static bool removes(struct make *m, const struct row *row, const struct ward_finding *finding,
		    const struct ward_remedy *remedy)
{
	struct ward_supposition what = { .function = remedy->subject };

	switch (remedy->kind) {
	case WARD_REMEDY_UNBIND:
		what.kind = WARD_SUPPOSE_DRIVER;
		return gone_when(m, row, finding, what, false);
	case WARD_REMEDY_CLAIM_TOO:
		return gone_with_client(m, row, finding, remedy->subject);
	case WARD_REMEDY_ENABLE_IOMMU:
		what.kind = WARD_SUPPOSE_IOMMU;
		return gone_when(m, row, finding, what, false);
	case WARD_REMEDY_ENABLE_REMAP:
		what.kind = WARD_SUPPOSE_REMAPPING;
		return gone_when(m, row, finding, what, false);
	case WARD_REMEDY_ENABLE_ACS:
		what.kind = WARD_SUPPOSE_ACS;
		return gone_when(m, row, finding, what, false);
	case WARD_REMEDY_USE_INTX:
		what.kind = WARD_SUPPOSE_INTX;
		return gone_when(m, row, finding, what, false);
	case WARD_REMEDY_ATS_OFF:
		what.kind = WARD_SUPPOSE_NO_ATS;
		return gone_when(m, row, finding, what, false);
	case WARD_REMEDY_ALLOW_UNSAFE:
		what.kind = WARD_SUPPOSE_NO_ATS;
		return gone_when(m, row, finding, what, true);
	case WARD_REMEDY_FIRMWARE:
		if (strcmp(row->code, "no-iommu") != 0)
			return gone_when_rebuilt(m, row, finding);
		what.kind = WARD_SUPPOSE_IOMMU;
		return gone_when(m, row, finding, what, false);
	case WARD_REMEDY_MOVE_CARD:
	case WARD_REMEDY_LOOK_AS_ROOT:
	case WARD_REMEDY_WAKE:
	case WARD_REMEDY_VFS_OFF:
		return gone_when_rebuilt(m, row, finding);
	case WARD_REMEDY_OTHER_SPACE:
		what.kind = WARD_SUPPOSE_SPACE;
		what.name = "blocked";
		return gone_when(m, row, finding, what, false);
	case WARD_REMEDY_WAIVE:
		return gone_when_waived(m, row, finding);
	case WARD_REMEDY_USE_OTHER_FUNCTION:
		if (strcmp(row->code, "not-assignable") != 0)
			return gone_when_rebuilt(m, row, finding);
		return !finding_of(judged(m, row->policy, NULL, "01:00.0"), row->code);
	}
	return false;
}

static void check_path(const struct make *m, const struct row *row,
		       const struct ward_finding *finding)
{
	const struct ward_step *last;
	uint32_t start = row->ending == AT_SUBJECT ? finding->blocker : finding->subject;

	if (row->ending == NO_PATH) {
		assert_null(finding->path);
		return;
	}
	assert_true(finding->path_count >= 2);
	last = &finding->path[finding->path_count - 1];
	assert_int_equal(finding->path[0].kind, WARD_NODE_FUNCTION);
	assert_int_equal(finding->path[0].index, start);
	for (uint32_t i = 1; i < finding->path_count; i++)
		assert_true(finding->path[i].through && finding->path[i].through[0]);
	switch (row->ending) {
	case AT_BLOCKER:
		assert_int_equal(last->kind, WARD_NODE_FUNCTION);
		assert_int_equal(last->index, finding->blocker);
		break;
	case AT_VECTORS:
		assert_int_equal(last->kind, WARD_NODE_VECTOR_USER);
		assert_int_equal(last->index, finding->blocker);
		break;
	case AT_SUBJECT:
		assert_true(last->kind == WARD_NODE_FUNCTION ||
			    last->kind == WARD_NODE_VECTOR_USER);
		assert_int_equal(last->index, finding->subject);
		break;
	case AT_MEMORY:
		assert_int_equal(last->kind, WARD_NODE_MEMORY);
		break;
	case AT_HOST:
		assert_true(last->kind == WARD_NODE_HOST_VECTORS ||
			    last->kind == WARD_NODE_IOMMU_VECTORS);
		break;
	case NO_PATH:
		break;
	}
	(void)m;
}

static void check_text(const struct make *m, const struct row *row,
		       const struct ward_finding *finding)
{
	assert_int_equal(finding->subject, at(m, row->claimed));
	assert_non_null(finding->text);
	/* Remarks are about the machine; their text is the reader's. */
	if (m->remark)
		return;
	assert_non_null(strstr(finding->text, m->machine->functions[finding->subject].name));
	if (finding->blocker != WARD_NONE)
		assert_non_null(
			strstr(finding->text, m->machine->functions[finding->blocker].name));
	if (finding->weight == WARD_OPEN)
		assert_true(finding->settle && finding->settle[0]);
}

static void check_remedies(struct make *m, const struct row *row,
			   const struct ward_finding *finding, struct ward_verdict *verdict)
{
	unsigned int offered = 0;

	m->verdict = NULL;
	for (uint32_t i = 0; i < finding->remedies_count; i++) {
		const struct ward_remedy *remedy = &finding->remedies[i];

		offered |= 1u << remedy->kind;
		assert_true(remedy->text && remedy->text[0]);
		if (!removes(m, row, finding, remedy)) {
			print_verdict(verdict);
			fail_msg("remedy \"%s\" does not remove %s", remedy->text, finding->code);
		}
	}
	if ((offered & row->remedies) != row->remedies)
		fail_msg("%s offers remedies %x, not %x", row->code, offered, row->remedies);
	ward_verdict_destroy(verdict);
}

static void row_holds(const struct row *row)
{
	const struct ward_finding *finding;
	static struct make m;
	struct ward_verdict *verdict;

	row->build(&m, false);
	make_done(&m);
	if (row->prepare)
		row->prepare(&m);
	finding = finding_in(judged(&m, row->policy, NULL, row->claimed), row->code);
	check_path(&m, row, finding);
	check_text(&m, row, finding);
	verdict = m.verdict;
	check_remedies(&m, row, finding, verdict);
	make_free(&m);
}

static void every_finding(void **unused)
{
	(void)unused;
	for (unsigned int i = 0; i < ROWS; i++)
		row_holds(&rows[i]);
}

/* What ward_check is never asked about: who has what, and what happens next. */
static bool is_of_ownership(const char *code)
{
	static const char *const codes[] = { "unsettled", "frozen",    "tainted",
					     "revoking",  "one-space", "domain-fixed" };

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		if (strcmp(codes[i], code) == 0)
			return true;
	}
	return false;
}

static bool has_row(const char *code)
{
	for (unsigned int i = 0; i < ROWS; i++) {
		if (strcmp(rows[i].code, code) == 0)
			return true;
	}
	return false;
}

static void every_code_has_a_row(void **unused)
{
	(void)unused;
	for (const struct ward_finding_info *info = ward_findings(); info->code; info++) {
		if (!has_row(info->code) && !is_of_ownership(info->code))
			fail_msg("no machine shows %s", info->code);
		assert_true(info->meaning && info->meaning[0]);
	}
}

/* Whatever a machine of these shows is in the list, and what it rests on is told. */
static void every_finding_is_listed(void **unused)
{
	static struct make m;

	(void)unused;
	for (unsigned int i = 0; i < ROWS; i++) {
		const struct ward_verdict *verdict;

		rows[i].build(&m, false);
		verdict = made(&m, rows[i].claimed);
		for (uint32_t k = 0; k < verdict->findings_count; k++) {
			const struct ward_finding_info *info = ward_findings();

			while (info->code && strcmp(info->code, verdict->findings[k].code) != 0)
				info++;
			if (!info->code)
				fail_msg("%s is not in the list", verdict->findings[k].code);
			assert_true(k == 0 ||
				    verdict->findings[k - 1].weight >= verdict->findings[k].weight);
		}
		make_free(&m);
	}
}

static bool offers(const struct ward_finding *finding, enum ward_remedy_kind kind)
{
	for (uint32_t i = 0; i < finding->remedies_count; i++) {
		if (finding->remedies[i].kind == kind)
			return true;
	}
	return false;
}

/* Remedies only where they work. */
static void remedies_that_cannot_work(void **unused)
{
	static struct make m;
	const struct ward_finding *finding;

	(void)unused;
	frame_and_vf(&m, false);
	finding = finding_in(made(&m, "01:00.0"), "msi-frame-shared");
	assert_false(offers(finding, WARD_REMEDY_USE_INTX));
	make_free(&m);

	frame_and_pinless(&m, false);
	finding = finding_in(made(&m, "01:00.0"), "msi-frame-shared");
	assert_false(offers(finding, WARD_REMEDY_USE_INTX));
	make_free(&m);

	frame_and_client(&m, false);
	finding = finding_in(made(&m, "01:00.0"), "msi-frame-shared");
	assert_false(offers(finding, WARD_REMEDY_USE_INTX));
	assert_false(offers(finding, WARD_REMEDY_UNBIND));
	make_free(&m);

	frame_and_port(&m, false);
	finding = finding_in(made(&m, "01:00.0"), "msi-frame-shared");
	assert_false(offers(finding, WARD_REMEDY_USE_INTX));
	assert_false(offers(finding, WARD_REMEDY_CLAIM_TOO));
	assert_string_equal(finding->remedies[0].command,
			    "echo 0000:00:1c.0 > /sys/bus/pci/drivers/pcieport/unbind");
	make_free(&m);

	with_frame(&m, false);
	finding = finding_in(made(&m, "01:00.0"), "msi-frame-shared");
	assert_string_equal(finding->remedies[0].command,
			    "echo 0 > /sys/bus/pci/devices/0000:02:00.0/msi_bus && "
			    "echo 0000:02:00.0 > /sys/bus/pci/drivers/nvme/unbind && "
			    "echo 0000:02:00.0 > /sys/bus/pci/drivers/nvme/bind");
	make_free(&m);

	switch_without(&m, false);
	finding = finding_in(made(&m, "03:00.0"), "peer-dma");
	assert_false(offers(finding, WARD_REMEDY_ENABLE_ACS));
	make_free(&m);

	switch_never(&m, false);
	finding = finding_in(made(&m, "03:00.0"), "peer-dma");
	assert_false(offers(finding, WARD_REMEDY_ENABLE_ACS));
	make_free(&m);

	switch_off(&m, false);
	finding = finding_in(made(&m, "03:00.0"), "peer-dma");
	assert_false(offers(finding, WARD_REMEDY_MOVE_CARD));
	make_free(&m);

	with_mbi(&m, false);
	finding = finding_in(made(&m, "01:00.0"), "msi-not-isolated");
	assert_false(offers(finding, WARD_REMEDY_ENABLE_REMAP));
	make_free(&m);

	untranslated_arm(&m, false);
	finding = finding_in(made(&m, "01:00.0"), "no-iommu");
	assert_false(offers(finding, WARD_REMEDY_ENABLE_IOMMU));
	assert_false(offers(finding, WARD_REMEDY_WAIVE));
	make_free(&m);

	acs_of_chipset(&m, false);
	finding = finding_in(made(&m, "01:00.0"), "acs-unknown");
	assert_false(offers(finding, WARD_REMEDY_LOOK_AS_ROOT));
	assert_non_null(strstr(finding->settle, "chipset"));
	make_free(&m);
}

/* Where several ports have to redirect, each round of mending names the next one. */
static void mending_ends(void **unused)
{
	static struct make m;
	unsigned int rounds = 0;

	(void)unused;
	make_x86(&m);
	root_port_to(&m, "00:1c.0", 1, 4, ACS_OFF);
	upstream(&m, "01:00.0", 2, 4);
	downstream(&m, "02:00.0", 3, ACS_OFF);
	downstream(&m, "02:01.0", 4, ACS_OFF);
	endpoint(&m, "03:00.0");
	endpoint(&m, "04:00.0");
	bound(&m, "04:00.0", "nvme");
	make_done(&m);
	for (;;) {
		const struct ward_finding *finding =
			finding_of(judged(&m, WARD_POLICY_STRICT, NULL, "03:00.0"), "peer-dma");
		struct ward_supposition what = { .kind = WARD_SUPPOSE_ACS, .function = WARD_NONE };

		if (!finding)
			break;
		for (uint32_t i = 0; i < finding->remedies_count; i++) {
			if (finding->remedies[i].kind == WARD_REMEDY_ENABLE_ACS)
				what.function = finding->remedies[i].subject;
		}
		assert_int_not_equal(what.function, WARD_NONE);
		assert_true(rounds++ < 3);
		/* The copy borrows the original's texts: mend the parts, build anew. */
		for (uint32_t i = 0; i < m.count; i++) {
			if (ward_address_compare(m.functions[i].address,
						 m.machine->functions[what.function].address) == 0)
				make_set_acs(&m.functions[i], ACS_ON);
		}
		make_free(&m);
		make_done(&m);
	}
	assert_true(rounds >= 1);
	make_free(&m);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_finding),
		cmocka_unit_test(every_code_has_a_row),
		cmocka_unit_test(every_finding_is_listed),
		cmocka_unit_test(remedies_that_cannot_work),
		cmocka_unit_test(mending_ends),
	};

	return cmocka_run_group_tests_name("isolate/findings", tests, NULL, NULL);
}
