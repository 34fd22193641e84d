// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* What a scenario's file may say, as libcyaml checks it. docs/scenario-format.md is the same in prose. */
#include "app/scenario_schema.h"

#define OPTIONAL (CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL)
#define WORD 200u
#define TEXT 4000u
#define FUNCTIONS 256u
#define CLIENTS 16u
#define WAIVERS 64u
#define STEPS 1000u
#define COUNT(table) ((uint32_t)(sizeof(table) / sizeof((table)[0])))

#define STRING(key, structure, member) \
	CYAML_FIELD_STRING_PTR(key, CYAML_FLAG_POINTER, structure, member, 1, WORD)
#define MAYBE_STRING(key, structure, member) \
	CYAML_FIELD_STRING_PTR(key, OPTIONAL, structure, member, 1, WORD)
#define WORDS(key, structure, member, most) \
	CYAML_FIELD_SEQUENCE(key, CYAML_FLAG_POINTER, structure, member, &word, 1, most)
#define MAYBE_WORDS(key, structure, member, most) \
	CYAML_FIELD_SEQUENCE(key, OPTIONAL, structure, member, &word, 0, most)
#define EXPECTED_WORDS(key, member) \
	CYAML_FIELD_SEQUENCE(key, OPTIONAL, struct app_scenario_expect, member, &word, 1, WAIVERS)
#define MAYBE_NUMBER(key, structure, member) \
	CYAML_FIELD_UINT(key, CYAML_FLAG_OPTIONAL, structure, member)
#define MAYBE_BOOL(key, structure, member) \
	CYAML_FIELD_BOOL(key, CYAML_FLAG_OPTIONAL, structure, member)
#define PART(key, structure, member, fields) \
	CYAML_FIELD_MAPPING_PTR(key, OPTIONAL, structure, member, fields)
#define ENUM(key, structure, member, words)                                                      \
	CYAML_FIELD_ENUM(key, CYAML_FLAG_OPTIONAL | CYAML_FLAG_STRICT, structure, member, words, \
			 COUNT(words))

static const cyaml_schema_value_t word = { CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char *, 1,
							      WORD) };

static const cyaml_schema_field_t waiver_fields[] = {
	STRING("code", struct app_scenario_waiver, code),
	MAYBE_STRING("function", struct app_scenario_waiver, function),
	MAYBE_STRING("reason", struct app_scenario_waiver, reason),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t waiver = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct app_scenario_waiver, waiver_fields)
};

#define ACCEPT(structure) \
	CYAML_FIELD_SEQUENCE("accept", OPTIONAL, structure, accept, &waiver, 0, WAIVERS)

static const cyaml_schema_field_t event_fields[] = {
	MAYBE_WORDS("functions", struct app_scenario_event, functions, FUNCTIONS),
	MAYBE_STRING("client", struct app_scenario_event, client),
	MAYBE_STRING("driver", struct app_scenario_event, driver),
	MAYBE_STRING("controller", struct app_scenario_event, controller),
	MAYBE_NUMBER("container", struct app_scenario_event, container),
	MAYBE_BOOL("fact", struct app_scenario_event, fact),
	ACCEPT(struct app_scenario_event),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t hand_over_fields[] = {
	WORDS("functions", struct app_scenario_hand_over, functions, FUNCTIONS),
	STRING("to", struct app_scenario_hand_over, to),
	MAYBE_STRING("driver", struct app_scenario_hand_over, driver),
	MAYBE_NUMBER("container", struct app_scenario_hand_over, container),
	ACCEPT(struct app_scenario_hand_over),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t enable_fields[] = {
	WORDS("functions", struct app_scenario_enable, functions, FUNCTIONS),
	MAYBE_NUMBER("vectors", struct app_scenario_enable, vectors),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t ring_fields[] = {
	STRING("function", struct app_scenario_ring, function),
	MAYBE_NUMBER("vector", struct app_scenario_ring, vector),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t dma_fields[] = {
	STRING("function", struct app_scenario_dma, function),
	MAYBE_STRING("memory", struct app_scenario_dma, memory),
	MAYBE_STRING("bar", struct app_scenario_dma, bar),
	MAYBE_STRING("doorbell", struct app_scenario_dma, doorbell),
	MAYBE_NUMBER("data", struct app_scenario_dma, data),
	MAYBE_STRING("address", struct app_scenario_dma, address),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t expect_fields[] = {
	MAYBE_STRING("decision", struct app_scenario_expect, decision),
	CYAML_FIELD_BOOL_PTR("settled", OPTIONAL, struct app_scenario_expect, settled),
	EXPECTED_WORDS("findings", findings),
	EXPECTED_WORDS("accepted", accepted),
	MAYBE_WORDS("exposed", struct app_scenario_expect, exposed, CLIENTS),
	EXPECTED_WORDS("containments", containments),
	MAYBE_STRING("arrives", struct app_scenario_expect, arrives),
	MAYBE_STRING("through", struct app_scenario_expect, through),
	CYAML_FIELD_UINT_PTR("number", OPTIONAL, struct app_scenario_expect, number),
	CYAML_FIELD_UINT_PTR("gsi", OPTIONAL, struct app_scenario_expect, gsi),
	MAYBE_STRING("ends", struct app_scenario_expect, ends),
	MAYBE_STRING("of", struct app_scenario_expect, of),
	MAYBE_WORDS("touched", struct app_scenario_expect, touched, CLIENTS),
	CYAML_FIELD_END,
};

static const cyaml_strval_t step_contains[] = {
	{ "one", APP_CONTAIN_ONE },
	{ "all", APP_CONTAIN_ALL },
};

#define EVENT(key, kind) PART(key, struct app_scenario_step, event[kind], event_fields)

/* The keys of events are the words of ward_event_name(). */
static const cyaml_schema_field_t step_fields[] = {
	MAYBE_STRING("note", struct app_scenario_step, note),
	EVENT("bind", WARD_EVENT_BIND),
	EVENT("unbind", WARD_EVENT_UNBIND),
	EVENT("claim", WARD_EVENT_CLAIM),
	EVENT("attach", WARD_EVENT_ATTACH),
	EVENT("detach", WARD_EVENT_DETACH),
	EVENT("release", WARD_EVENT_RELEASE),
	EVENT("death", WARD_EVENT_DEATH),
	EVENT("revoke", WARD_EVENT_REVOKE),
	EVENT("hot-add", WARD_EVENT_HOT_ADD),
	EVENT("hot-remove", WARD_EVENT_HOT_REMOVE),
	EVENT("vfs-on", WARD_EVENT_VFS_ON),
	EVENT("vfs-off", WARD_EVENT_VFS_OFF),
	EVENT("vector", WARD_EVENT_VECTOR),
	EVENT("freeze", WARD_EVENT_FREEZE),
	EVENT("thaw", WARD_EVENT_THAW),
	EVENT("reset", WARD_EVENT_RESET),
	EVENT("quarantine", WARD_EVENT_QUARANTINE),
	PART("hand-over", struct app_scenario_step, hand_over, hand_over_fields),
	PART("enable", struct app_scenario_step, enable, enable_fields),
	PART("ring", struct app_scenario_step, ring, ring_fields),
	PART("write", struct app_scenario_step, write, dma_fields),
	PART("read", struct app_scenario_step, read, dma_fields),
	MAYBE_STRING("hostile", struct app_scenario_step, hostile),
	CYAML_FIELD_ENUM_PTR("contain", OPTIONAL | CYAML_FLAG_STRICT, struct app_scenario_step,
			     contain, step_contains, COUNT(step_contains)),
	PART("expect", struct app_scenario_step, expect, expect_fields),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t step = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct app_scenario_step, step_fields)
};

static const cyaml_schema_field_t final_fields[] = {
	STRING("function", struct app_scenario_final, function),
	MAYBE_STRING("owner", struct app_scenario_final, owner),
	MAYBE_STRING("driver", struct app_scenario_final, driver),
	MAYBE_STRING("tainted", struct app_scenario_final, tainted),
	CYAML_FIELD_UINT_PTR("container", OPTIONAL, struct app_scenario_final, container),
	CYAML_FIELD_BOOL_PTR("blocked", OPTIONAL, struct app_scenario_final, blocked),
	CYAML_FIELD_BOOL_PTR("frozen", OPTIONAL, struct app_scenario_final, frozen),
	CYAML_FIELD_BOOL_PTR("revoking", OPTIONAL, struct app_scenario_final, revoking),
	CYAML_FIELD_BOOL_PTR("quarantined", OPTIONAL, struct app_scenario_final, quarantined),
	CYAML_FIELD_BOOL_PTR("absent", OPTIONAL, struct app_scenario_final, absent),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t final = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct app_scenario_final, final_fields)
};

static const cyaml_strval_t policies[] = {
	{ "strict", WARD_POLICY_STRICT },
	{ "linux", WARD_POLICY_LINUX },
};

static const cyaml_strval_t newcomers[] = {
	{ "quarantine", WARD_CONTAIN_QUARANTINE },
	{ "freeze", WARD_CONTAIN_FREEZE },
	{ "revoke", WARD_CONTAIN_REVOKE },
};

static const cyaml_strval_t others[] = {
	{ "freeze", WARD_CONTAIN_FREEZE },
	{ "revoke", WARD_CONTAIN_REVOKE },
};

static const cyaml_strval_t contains[] = {
	{ "at-once", APP_CONTAIN_AT_ONCE },
	{ "by-hand", APP_CONTAIN_BY_HAND },
};

static const cyaml_strval_t vectors[] = {
	{ "at-once", APP_VECTORS_AT_ONCE },
	{ "by-hand", APP_VECTORS_BY_HAND },
};

/* All but the machine, of which there are two kinds. */
#define REST                                                                                    \
	STRING("title", struct app_scenario, title),                                            \
		CYAML_FIELD_STRING_PTR("story", OPTIONAL, struct app_scenario, story, 0, TEXT), \
		MAYBE_WORDS("clients", struct app_scenario, clients, CLIENTS),                  \
		MAYBE_WORDS("nested", struct app_scenario, nested, CLIENTS),                    \
		MAYBE_BOOL("freeze-on-fault", struct app_scenario, freeze_on_fault),            \
		MAYBE_WORDS("absent", struct app_scenario, absent, FUNCTIONS),                  \
		ENUM("policy", struct app_scenario, policy, policies),                          \
		ENUM("newcomer", struct app_scenario, newcomer, newcomers),                     \
		ENUM("other", struct app_scenario, other, others),                              \
		MAYBE_BOOL("revoke-at-once", struct app_scenario, revoke_is_immediate),         \
		ENUM("contain", struct app_scenario, contain, contains),                        \
		ENUM("vectors", struct app_scenario, vectors, vectors),                         \
		MAYBE_BOOL("frames-by-parent", struct app_scenario, frames_by_parent),          \
		ACCEPT(struct app_scenario),                                                    \
		CYAML_FIELD_SEQUENCE("steps", CYAML_FLAG_POINTER, struct app_scenario, steps,   \
				     &step, 0, STEPS),                                          \
		CYAML_FIELD_SEQUENCE("final", OPTIONAL, struct app_scenario, final, &final, 0,  \
				     FUNCTIONS)

static const cyaml_schema_field_t with_file[] = {
	REST,
	STRING("machine", struct app_scenario, machine_file),
	CYAML_FIELD_END,
};

const cyaml_schema_value_t app_scenario_with_file = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct app_scenario, with_file)
};

static const cyaml_schema_field_t with_machine[] = {
	REST,
	CYAML_FIELD_MAPPING_PTR("machine", CYAML_FLAG_POINTER, struct app_scenario, machine,
				app_machine_fields),
	CYAML_FIELD_END,
};

const cyaml_schema_value_t app_scenario_with_machine = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct app_scenario, with_machine)
};
