// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * A real driver's disks as assigned functions: the traces of test_traces.c, with QEMU's NVMe and
 * virtio-blk replaced by functions of the software machine. What QEMU's disks reached, these reach
 * through the host's spaces.
 */
#include "backend/model_rig.h"
#include "trace.h"

#include <doorward/shadow.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

/* Memory of QEMU's arm64 board; and how much further up it is in the machine. */
#define GUEST_START 0x40000000ull
#define GUEST_LAST 0x7fffffffull
#define GUEST_SIZE (GUEST_LAST - GUEST_START + 1)
#define GUEST_AT 0x100000000ull
/* Endpoints of QEMU: functions 3 and 4 of its bus 0. */
#define NVME 0x18u
#define BLK 0x20u
/* Nothing is mapped so far up. */
#define ELSEWHERE 0x4000000000ull

struct host {
	struct rig rig;
	void *bytes;
	struct ward_memory *guest;
	struct ward_shadow *shadow;
	struct ward_device *nvme, *blk;
	uint32_t reached;
};

static int place(void *context, ward_gpa_t start, uint64_t length, ward_target_t *ret_target,
		 uint64_t *ret_length)
{
	uint64_t address = ward_gpa_raw(start);

	(void)context;
	if (address < GUEST_START || address > GUEST_LAST)
		return -EFAULT;
	*ret_target = ward_target(GUEST_AT + address);
	*ret_length = length <= GUEST_LAST - address ? length : GUEST_LAST - address + 1;
	return 0;
}

static bool begin(void *context, struct ward_viommu *viommu)
{
	static const struct ward_range ram = { GUEST_START, GUEST_LAST };
	struct host *host = context;
	struct ward_shadow_options options = {
		.size = sizeof(options),
		.viommu = viommu,
		.backend = host->rig.backend,
		.memory = host->guest,
		.place = place,
		.ram = &ram,
		.ram_count = 1,
	};

	assert_int_equal(ward_shadow_create(&options, &host->shadow, NULL), 0);
	assert_int_equal(ward_shadow_add(host->shadow, NVME, host->nvme), 0);
	assert_int_equal(ward_shadow_add(host->shadow, BLK, host->blk), 0);
	return true;
}

static struct ward_dma_result do_dma(struct host *host, const char *function, uint64_t address,
				     bool writes)
{
	return rig_dma(&host->rig, function, address, writes, NULL, 1);
}

static bool dma(void *context, uint32_t endpoint, uint64_t address, bool writes, uint64_t result)
{
	struct host *host = context;
	const char *function = endpoint == NVME ? "01:00.0" : "02:00.0";
	struct ward_dma_result reached;

	/* The others are emulated here, too. */
	if (endpoint != NVME && endpoint != BLK)
		return true;
	host->reached++;
	reached = do_dma(host, function, address, writes);
	return reached.end == WARD_DMA_MEMORY && reached.target == GUEST_AT + result &&
	       do_dma(host, function, address ^ ELSEWHERE, writes).end == WARD_DMA_FAULT;
}

static void start(struct host *host, void (*make)(struct make *m))
{
	const struct ward_range guest = { GUEST_START, GUEST_LAST };
	const struct ward_range machine = { GUEST_AT + GUEST_START, GUEST_AT + GUEST_LAST };

	rig_cards(&host->rig, make);
	rig_start(&host->rig);
	/* No byte of it is touched. */
	host->bytes = mmap(NULL, GUEST_SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
			   -1, 0);
	assert_true(host->bytes != MAP_FAILED);
	assert_int_equal(ward_memory_create(&host->guest), 0);
	assert_int_equal(ward_memory_add(host->guest, guest, 0, host->bytes), 0);
	assert_int_equal(ward_memory_add(host->rig.memory, machine, 0, host->bytes), 0);
	host->nvme = rig_open(&host->rig, "0000:01:00.0");
	host->blk = rig_open(&host->rig, "0000:02:00.0");
}

static void end(struct host *host)
{
	ward_shadow_destroy(host->shadow);
	ward_device_close(host->nvme);
	ward_device_close(host->blk);
	ward_memory_destroy(host->guest);
	assert_int_equal(host->rig.misuses, 0);
	rig_end(&host->rig);
	munmap(host->bytes, GUEST_SIZE);
}

static void assert_substance(const struct host *host)
{
	struct ward_shadow_info info;

	ward_shadow_info(host->shadow, &info);
	assert_true(host->reached >= 50);
	assert_true(info.maps >= 30);
	assert_true(info.unmaps >= 30);
	assert_int_equal(info.refused_full + info.refused_other, 0);
	assert_int_equal(info.frozen, 0);
}

static void follow(const char *name)
{
	for (unsigned int kind = 0; kind < 2; kind++) {
		struct host host = { .reached = 0 };
		const struct trace_follower follower = { &host, begin, dma };
		struct trace_result result;
		char path[4096];

		snprintf(path, sizeof(path), "%s/tests/virtio/traces/viommu-%s-6.12-endpoints.txt",
			 getenv("DOORWARD_SOURCE"), name);
		start(&host, kind ? make_x86 : make_arm_its);
		if (!trace_replay(path, TRACE_INDIRECT, &follower, &result))
			fail_msg("%s:%u: %s", path, result.line, result.why);
		assert_substance(&host);
		end(&host);
	}
}

static void test_strict(void **state)
{
	(void)state;
	follow("arm64-its-strict");
}

static void test_passthrough(void **state)
{
	(void)state;
	follow("arm64-its-passthrough");
}

static void test_lazy_blocked(void **state)
{
	(void)state;
	follow("arm64-v2m-lazy");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_strict),
		cmocka_unit_test(test_passthrough),
		cmocka_unit_test(test_lazy_blocked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
