// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * Our virtio-iommu beside QEMU's: the same requests, the same faults. Differences are listed in
 * difference_table.c and docs/virtio-iommu.md; an unlisted one fails, and so does one that is listed
 * and not seen.
 */
#include "difference.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "skip.h"

/* Differences are listed as this version has them. */
#define QEMU_LISTED "version 7.2."

/* For longer runs: test-virtio-qemu-difference [STREAMS [FIRST SEED]]. */
static uint64_t streams_count = 6, first_seed = 1;
#define STREAM_LENGTH 1200u

static const struct setup q35 = {
	.name = "q35",
	.machine = QEMU_Q35,
	.arguments = (const char *const[]){ "-device", "virtio-iommu-pci,addr=1", "-device",
					    "edu,addr=4,dma_mask=0xffffffffffffffff", "-device",
					    "edu,addr=5,dma_mask=0xffffffffffffffff", "-device",
					    "edu,addr=6,dma_mask=0xffffffffffffffff", NULL },
	.regions = { { { 0xfee00000, 0xfeefffff }, WARD_VIOMMU_RESV_MSI } },
	.regions_count = 1,
};

static const struct setup virt = {
	.name = "virt",
	.machine = QEMU_VIRT,
	.arguments = (const char *const[]){ "-device",
					    "virtio-iommu-pci,addr=1,len-reserved-regions=3,"
					    "reserved-regions[0]=0x8000000:0x80fffff:1,"
					    "reserved-regions[1]=0x10000000:0x10001fff:0,"
					    "reserved-regions[2]=0x100010000:0x10001ffff:0",
					    "-device", "rtl8139,addr=4,romfile=", "-device",
					    "rtl8139,addr=5,romfile=", "-device",
					    "rtl8139,addr=6,romfile=", NULL },
	.regions = { { { 0x8000000, 0x80fffff }, WARD_VIOMMU_RESV_MSI },
		     { { 0x10000000, 0x10001fff }, WARD_VIOMMU_RESV_RESERVED },
		     { { 0x100010000, 0x10001ffff }, WARD_VIOMMU_RESV_RESERVED } },
	.regions_count = 3,
};

/* Whose streams went well, bits of enum qemu_machine. */
static uint32_t machines_seen;
#define MACHINES_ALL 3u

/* Starts both sides, or skips. */
static void start(struct pair *ret_pair, const struct setup *setup)
{
	const char *reason = "";
	int code = pair_start(ret_pair, setup, &reason);

	if (code == -ENOENT)
		test_skip("%s: %s", setup->name, reason);
	if (code)
		fail_msg("%s: %s (%d)", setup->name, reason, code);
}

static void streams(const struct setup *setup)
{
	struct pair pair;
	uint32_t failed = 0;

	start(&pair, setup);
	for (uint64_t i = 0; i < streams_count; i++)
		failed += !stream_run(&pair, first_seed + i, STREAM_LENGTH);
	pair_stop(&pair);
	if (!failed)
		machines_seen |= 1u << setup->machine;
	assert_int_equal(failed, 0);
}

static void test_streams_q35(void **state)
{
	(void)state;
	streams(&q35);
}

static void test_streams_virt(void **state)
{
	(void)state;
	streams(&virt);
}

static void faults(const struct setup *setup)
{
	struct pair pair;
	bool good;

	start(&pair, setup);
	good = faults_compare(&pair);
	pair_stop(&pair);
	assert_true(good);
}

static void test_faults_q35(void **state)
{
	(void)state;
	faults(&q35);
}

static void test_faults_virt(void **state)
{
	(void)state;
	faults(&virt);
}

/* A PROBE whose writable part is too small ends QEMU; ours refuses it. */
static void test_probe_small(void **state)
{
	struct step probe = { .readable_size = 72, .writable_size = 100 };
	struct step reset = { .kind = STEP_RESET, .features = 0x77 };
	struct answer ours, qemu;
	struct pair pair;
	int code, status = 0;

	(void)state;
	start(&pair, &q35);
	probe.readable[0] = TYPE_PROBE;
	step_put(&probe, 4, pair.qemu.viommu->rid, 4);
	assert_int_equal(pair_step(&pair, &reset, &ours, &qemu), 0);
	code = pair_step(&pair, &probe, &ours, &qemu);
	if (code == -EPIPE && qtest_ended(&pair.qemu.qtest, &status) == 0 && WIFSIGNALED(status) &&
	    WTERMSIG(status) == SIGABRT)
		difference_saw("probe-small");
	pair_stop(&pair);
	assert_int_equal(ours.outcome, OUTCOME_INVAL);
	assert_int_equal(ours.written, 100);
}

/* QEMU takes a mapping that ends before it begins, and never comes back from removing it. */
static void test_unmap_endless(void **state)
{
	const struct ward_mapping mapping = { .start = ward_iova(0x3000),
					      .last = ward_iova(0xfff),
					      .access = WARD_READ,
					      .type = WARD_NORMAL };
	struct step step = { .kind = STEP_RESET, .features = 0x77 };
	struct answer ours, qemu;
	struct pair pair;
	int code;

	(void)state;
	start(&pair, &q35);
	assert_int_equal(pair_step(&pair, &step, &ours, &qemu), 0);
	step = step_place(TYPE_ATTACH, 1, pair.qemu.viommu->rid, 0);
	assert_int_equal(pair_step(&pair, &step, &ours, &qemu), 0);
	step = step_map(1, &mapping);
	assert_int_equal(pair_step(&pair, &step, &ours, &qemu), 0);
	assert_int_equal(ours.outcome, OUTCOME_INVAL);
	step = step_unmap(1, 0, UINT64_MAX);
	pair.qemu.qtest.timeout_ms = 500;
	code = pair_step(&pair, &step, &ours, &qemu);
	pair_stop(&pair);
	if (code == -ETIMEDOUT)
		difference_saw("unmap-endless");
	assert_int_equal(ours.outcome, OUTCOME_OK);
}

/* Whether the QEMU here is the one whose differences are listed. */
static bool is_listed_version(char *ret_line, int size)
{
	FILE *output = popen("qemu-system-x86_64 --version 2>/dev/null", "r");
	char *line = output ? fgets(ret_line, size, output) : NULL;

	if (output)
		pclose(output);
	return line && strstr(line, QEMU_LISTED);
}

/* After the others: what is listed was seen. Another version may differ less. */
static void test_seen(void **state)
{
	char line[128] = "none\n";
	bool listed = is_listed_version(line, sizeof(line));
	uint32_t missed = 0;

	(void)state;
	if (machines_seen != MACHINES_ALL)
		test_skip("QEMU is not installed, or streams failed");
	for (uint32_t i = 0; i < differences_count; i++) {
		if (differences[i].seen) {
			print_message("# seen: %s, %u times\n", differences[i].name,
				      differences[i].seen);
			continue;
		}
		print_message("# listed, not seen: %s (%s)\n", differences[i].name,
			      strtok(line, "\n"));
		missed += listed;
	}
	assert_int_equal(missed, 0);
}

/* Names that begin rows of the section's table, against the list. */
static void check_rows(FILE *page, uint32_t *ret_rows)
{
	char line[1024], name[64];
	bool within = false;

	while (fgets(line, sizeof(line), page)) {
		if (strncmp(line, "## ", 3) == 0)
			within = strstr(line, "Where QEMU differs");
		if (!within || sscanf(line, "| `%63[^`]` |", name) != 1)
			continue;
		if (!difference_find(name))
			fail_msg("docs/virtio-iommu.md: nothing shows %s", name);
		++*ret_rows;
	}
}

static void test_documented(void **state)
{
	const char *source = getenv("DOORWARD_SOURCE");
	char path[4096];
	uint32_t rows = 0;
	FILE *page;

	(void)state;
	snprintf(path, sizeof(path), "%s/docs/virtio-iommu.md", source ? source : ".");
	page = fopen(path, "r");
	assert_non_null(page);
	check_rows(page, &rows);
	fclose(page);
	assert_int_equal(rows, differences_count);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_streams_q35), cmocka_unit_test(test_streams_virt),
		cmocka_unit_test(test_faults_q35),  cmocka_unit_test(test_faults_virt),
		cmocka_unit_test(test_probe_small), cmocka_unit_test(test_unmap_endless),
		cmocka_unit_test(test_seen),	    cmocka_unit_test(test_documented),
	};

	if (argc > 1)
		streams_count = strtoull(argv[1], NULL, 10);
	if (argc > 2)
		first_seed = strtoull(argv[2], NULL, 10);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
