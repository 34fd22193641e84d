// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* Functions that raise their vectors: masked, frozen, not allowed to; and how a CPU and peers see them. */
#include "emul/msi_rig.h"

static void raises(void **unused)
{
	struct rig rig = { .arch = WARD_ARCH_ARM64 };
	struct heard heard = { .count = 0 };
	struct ward_raise raise = { .masked = true };
	struct ward_vectors *v;
	struct ward_vector now;
	uint32_t f;

	(void)unused;
	card(&rig);
	ready(&rig, WARD_CONTROLLER_GICV2M, &heard);
	f = rig_at(&rig, "01:00.0");
	/* Off; no such function, none of the kind, no such vector. */
	assert_int_equal(ward_emul_raise(rig.emul, f, 0, &raise), -EOPNOTSUPP);
	assert_int_equal(ward_emul_raise(rig.emul, 99, 0, &raise), -EINVAL);
	assert_int_equal(ward_emul_raise(rig.emul, rig_at(&rig, "00:01.0"), 0, &raise), -EINVAL);
	assert_null(ward_emul_vectors(rig.emul, rig_at(&rig, "00:01.0")));
	assert_null(ward_emul_vectors(rig.emul, 99));
	v = enable_msix(&rig, "01:00.0");
	assert_int_equal(ward_emul_raise(rig.emul, f, 3, &raise), -EINVAL);
	assert_int_equal(ward_emul_raise(rig.emul, f, 2, &raise), 0);
	assert_false(raise.masked);
	assert_int_equal(raise.dma.end, WARD_DMA_DOORBELL);
	assert_int_equal(raise.dma.target, DOORBELL + 0x40);
	assert_int_equal(raise.dma.interrupt.end, WARD_INTERRUPT_PENDING);
	assert_int_equal(raise.dma.interrupt.number, 0x42);
	assert_int_equal(heard.message.size, 4);
	assert_int_equal(ward_sid_raw(rig.seen.sid), 0x100);
	assert_int_equal(rig.seen.access, WARD_WRITE);
	/* Masked: later, once, and nobody asked for that one. */
	put(v, WARD_MSIX_TABLE, 12, 1, 4);
	heard.count = 0;
	assert_int_equal(ward_emul_raise(rig.emul, f, 0, &raise), 0);
	assert_int_equal(ward_emul_raise(rig.emul, f, 0, &raise), 0);
	assert_true(raise.masked);
	assert_int_equal(raise.dma.end, WARD_DMA_NOWHERE);
	assert_int_equal(heard.count, 0);
	put(v, WARD_MSIX_TABLE, 12, 0, 4);
	assert_int_equal(heard.count, 1);
	assert_int_equal(heard.message.data, 0x40);
	/* Where nothing is mapped, the message faults. */
	put(v, WARD_MSIX_TABLE, 0, DOORBELL + 0x40, 4);
	assert_int_equal(ward_emul_raise(rig.emul, f, 0, &raise), 0);
	assert_false(raise.masked);
	assert_int_equal(raise.dma.end, WARD_DMA_FAULT);
	assert_int_equal(raise.dma.fault.reason, WARD_FAULT_TRANSLATION);
	/* Into memory: a DMA it is. */
	put(v, WARD_MSIX_TABLE, 0, RIG_MAPPED + 0x2000, 4);
	assert_int_equal(ward_emul_raise(rig.emul, f, 0, &raise), 0);
	assert_int_equal(raise.dma.end, WARD_DMA_MEMORY);
	/* No bus master, no message; and none is kept. */
	set_master(&rig, "01:00.0", 0);
	heard.count = 0;
	assert_int_equal(ward_emul_raise(rig.emul, f, 1, &raise), 0);
	assert_true(raise.masked);
	set_master(&rig, "01:00.0", MASTER);
	assert_int_equal(heard.count, 0);
	assert_int_equal(ward_vectors_get(v, 1, &now), 0);
	assert_false(now.pending);
	/* After a reset it is off. */
	assert_int_equal(ward_emul_reset(rig.emul, f), 0);
	assert_int_equal(ward_emul_raise(rig.emul, f, 1, &raise), -EOPNOTSUPP);
	rig_free(&rig);
}

static void raises_msi(void **unused)
{
	struct rig rig = { .arch = WARD_ARCH_ARM64 };
	struct heard heard = { .count = 0 };
	struct ward_raise raise;
	struct ward_vectors *v;
	uint32_t f;

	(void)unused;
	card(&rig)->msi_vectors = 7; /* which no register can say: 4 */
	ready(&rig, WARD_CONTROLLER_GICV2M, &heard);
	f = rig_at(&rig, "01:00.0");
	v = ward_emul_vectors(rig.emul, f);
	set_master(&rig, "01:00.0", MASTER);
	put(v, WARD_MSI_CAPABILITY, 4, RIG_MAPPED + BELL + 0x40, 4);
	put(v, WARD_MSI_CAPABILITY, 12, 0x60, 2);
	put(v, WARD_MSI_CAPABILITY, 2, 2 << 4 | 1, 2);
	assert_int_equal(ward_emul_raise(rig.emul, f, 3, &raise), 0);
	assert_int_equal(raise.dma.interrupt.number, 0x63);
	assert_int_equal(ward_emul_raise(rig.emul, f, 4, &raise), -EINVAL);
	rig_free(&rig);
}

static uint32_t read32(struct rig *rig, const char *address, uint32_t region, uint64_t offset)
{
	uint8_t bytes[4];

	assert_int_equal(ward_emul_read(rig->emul, rig_at(rig, address), region, offset, bytes, 4),
			 0);
	return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
	       (uint32_t)bytes[3] << 24;
}

static void write32(struct rig *rig, const char *address, uint32_t region, uint64_t offset,
		    uint32_t value)
{
	assert_int_equal(ward_emul_write(rig->emul, rig_at(rig, address), region, offset, &value,
					 4),
			 0);
}

/* What a CPU sees of them: capabilities in config space, the table in a BAR. */
static void shown(void **unused)
{
	struct rig rig = { .arch = WARD_ARCH_ARM64 };
	struct heard heard = { .count = 0 };
	struct ward_raise raise;
	struct ward_function *f;
	struct ward_vectors *v;
	uint8_t byte = 0xff;

	(void)unused;
	card(&rig);
	f = rig_card(&rig, "01:00.1", 0x10001000);
	f->bar[0].range.last = 0x1000103f; /* registers all of it */
	f->msix = true;
	f->msix_vectors = 1;
	f = rig_card(&rig, "01:00.2", 0x10002000);
	f->msi = true;
	f->msi_vectors = 1;
	f = rig_card(&rig, "01:00.3", 0x10003000);
	f->bar[0].io = true;
	f->bar[2].range = (struct ward_range){ 0x10004000, 0x1000407f }; /* just room for 3 */
	f->msix = true;
	f->msix_vectors = 3;
	f = rig_card(&rig, "01:00.4", 0x10005000);
	f->bar[0].range.last = 0x1000507f; /* no room for 4 */
	f->msix = true;
	f->msix_vectors = 4;
	ready(&rig, WARD_CONTROLLER_GICV2M, &heard);
	/* MSI, then MSI-X: 3 vectors, in BAR 0, upper half. */
	assert_int_equal(read32(&rig, "01:00.0", 7, 4) >> 16, 0x10);
	assert_int_equal(read32(&rig, "01:00.0", 7, 0x34), 0x50);
	assert_int_equal(read32(&rig, "01:00.0", 7, 0x50) & 0xffff, 0x7005);
	assert_int_equal(read32(&rig, "01:00.0", 7, 0x70), 0x00020011);
	assert_int_equal(read32(&rig, "01:00.0", 7, 0x74), 0x800);
	assert_int_equal(read32(&rig, "01:00.0", 7, 0x78), 0x830);
	assert_int_equal(read32(&rig, "01:00.0", 7, 0x7c), 0);
	assert_int_equal(read32(&rig, "01:00.1", 7, 0x34), 0);
	assert_int_equal(read32(&rig, "01:00.1", 7, 4), 0);
	assert_int_equal(read32(&rig, "01:00.4", 7, 0x34), 0);
	assert_int_equal(read32(&rig, "01:00.2", 7, 0x34), 0x50);
	assert_int_equal(read32(&rig, "01:00.2", 7, 0x50) & 0xffff, 0x0005);
	assert_int_equal(read32(&rig, "01:00.3", 7, 0x34), 0x70);
	assert_int_equal(read32(&rig, "01:00.3", 7, 0x74), 0x40 | 2);
	assert_int_equal(read32(&rig, "01:00.3", 2, 0x4c), 1);
	/* They are not programmed here. */
	write32(&rig, "01:00.0", 7, 0x70, 0x80000000);
	assert_int_equal(read32(&rig, "01:00.0", 7, 0x70), 0x00020011);
	/* The table is. Masked at first. */
	v = enable_msix(&rig, "01:00.0");
	assert_int_equal(read32(&rig, "01:00.0", 7, 0x70), 0x80020011);
	assert_int_equal(read32(&rig, "01:00.0", 0, 0x810), RIG_MAPPED + BELL + 0x40);
	assert_int_equal(read32(&rig, "01:00.0", 0, 0x818), 0x41);
	write32(&rig, "01:00.0", 0, 0x818, 0x51);
	assert_int_equal(ward_emul_raise(rig.emul, rig_at(&rig, "01:00.0"), 1, &raise), 0);
	assert_int_equal(heard.message.data, 0x51);
	/* Less than a doubleword is nothing; the PBA is read only. */
	assert_int_equal(ward_emul_write(rig.emul, rig_at(&rig, "01:00.0"), 0, 0x818, &byte, 1), 0);
	assert_int_equal(ward_emul_read(rig.emul, rig_at(&rig, "01:00.0"), 0, 0x818, &byte, 1), 0);
	assert_int_equal(byte, 0);
	assert_int_equal(read32(&rig, "01:00.0", 0, 0x818), 0x51);
	put(v, WARD_MSIX_TABLE, 16 + 12, 1, 4);
	assert_int_equal(ward_emul_raise(rig.emul, rig_at(&rig, "01:00.0"), 1, &raise), 0);
	write32(&rig, "01:00.0", 0, 0x830, 0);
	assert_int_equal(read32(&rig, "01:00.0", 0, 0x830), 2);
	assert_int_equal(read32(&rig, "01:00.0", 0, 0x838), 0);
	rig_free(&rig);
}

/* A peer that reaches the BAR writes the table, too: whole entries, in one DMA. */
static void by_a_peer(void **unused)
{
	struct rig rig = { .arch = WARD_ARCH_ARM64 };
	struct heard heard = { .count = 0 };
	uint32_t entries[8] = { RIG_MAPPED + BELL + 0x40, 0, 0x61, 1,
				RIG_MAPPED + BELL + 0x40, 0, 0x62, 0 };
	struct ward_dma dma = { .pasid = WARD_PASID_NONE,
				.address = ward_iova(0x10000800),
				.write = true,
				.bytes = entries,
				.size = sizeof(entries) };
	struct ward_raise raise;

	(void)unused;
	card(&rig);
	rig_card(&rig, "01:00.1", 0x10001000);
	ready(&rig, WARD_CONTROLLER_GICV2M, &heard);
	rig_temper(&rig, true);
	enable_msix(&rig, "01:00.0");
	assert_int_equal(rig_dma(&rig, "01:00.1", dma), WARD_DMA_BAR);
	assert_int_equal(ward_emul_raise(rig.emul, rig_at(&rig, "01:00.0"), 1, &raise), 0);
	assert_int_equal(heard.message.data, 0x62);
	/* Set free by the peer: it goes out under the owner's id. */
	assert_int_equal(ward_emul_raise(rig.emul, rig_at(&rig, "01:00.0"), 0, &raise), 0);
	assert_true(raise.masked);
	heard.count = 0;
	entries[3] = 0;
	assert_int_equal(rig_dma(&rig, "01:00.1", dma), WARD_DMA_BAR);
	assert_int_equal(heard.count, 1);
	assert_int_equal(heard.message.data, 0x61);
	assert_int_equal(ward_rid_raw(heard.message.rid), 0x100);
	memset(entries, 0, sizeof(entries));
	dma.write = false;
	assert_int_equal(rig_dma(&rig, "01:00.1", dma), WARD_DMA_BAR);
	assert_int_equal(entries[2], 0x61);
	assert_int_equal(entries[6], 0x62);
	rig_free(&rig);
}

/* Vector n sets vector n + 1 free. However long the chain, it ends. */
static void chain(void **unused)
{
	struct rig rig = { .arch = WARD_ARCH_ARM64 };
	struct heard heard = { .count = 0 };
	struct ward_function *f;
	struct ward_vectors *v;
	struct ward_raise raise;
	struct ward_vector now;
	unsigned int pending = 0;
	uint32_t index;

	(void)unused;
	rig.no_iommu = true;
	rig_port(&rig, "00:01.0", WARD_PCIE_ROOT_PORT, 1, 1);
	f = rig_card(&rig, "01:00.0", 0x10000000);
	f->bar[0].range.last = 0x1001ffff;
	f->msix = true;
	f->msix_vectors = 2048;
	/* Above the port nothing keeps the write from coming down again. */
	rig_card(&rig, "00:02.0", 0)->pcie_type = WARD_PCIE_RC_ENDPOINT;
	ready(&rig, WARD_CONTROLLER_GICV2M, &heard);
	rig_temper(&rig, true);
	index = rig_at(&rig, "01:00.0");
	v = ward_emul_vectors(rig.emul, index);
	set_master(&rig, "01:00.0", MASTER);
	put(v, WARD_MSIX_CAPABILITY, 2, 0x8000, 2);
	for (uint32_t i = 0; i < 2048; i++) {
		put(v, WARD_MSIX_TABLE, i * 16, 0x10010000 + (i + 1) % 2048 * 16 + 12, 4);
		put(v, WARD_MSIX_TABLE, i * 16 + 8, 0, 4);
		assert_int_equal(ward_emul_raise(rig.emul, index, i, &raise), 0);
		assert_true(raise.masked);
	}
	put(v, WARD_MSIX_TABLE, 12, 0, 4);
	for (uint32_t i = 0; i < 2048; i++) {
		assert_int_equal(ward_vectors_get(v, i, &now), 0);
		pending += now.pending;
	}
	assert_int_equal(pending, 2048 - 17);
	rig_free(&rig);
}

static void frozen(void **unused)
{
	struct rig rig = { .arch = WARD_ARCH_ARM64 };
	struct heard heard = { .count = 0 };
	struct ward_error_state error;
	struct ward_raise raise;
	uint32_t f;

	(void)unused;
	card(&rig);
	ready(&rig, WARD_CONTROLLER_GICV2M, &heard);
	f = rig_at(&rig, "01:00.0");
	enable_msix(&rig, "01:00.0");
	assert_int_equal(ward_emul_freeze(rig.emul, f, WARD_ERROR_INJECTED), 0);
	assert_int_equal(ward_emul_raise(rig.emul, f, 0, &raise), 0);
	assert_int_equal(raise.dma.end, WARD_DMA_FROZEN);
	assert_int_equal(raise.dma.interrupt.end, WARD_INTERRUPT_NONE);
	assert_int_equal(heard.count, 0);
	assert_int_equal(ward_emul_error(rig.emul, f, &error), 0);
	assert_int_equal(error.dropped_messages, 1);
	assert_int_equal(error.dropped_dma, 1);
	/* A reset comes with the thaw: all is off. */
	assert_int_equal(ward_emul_thaw(rig.emul, f), 0);
	assert_int_equal(ward_emul_raise(rig.emul, f, 0, &raise), -EOPNOTSUPP);
	rig_free(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(raises),    cmocka_unit_test(raises_msi), cmocka_unit_test(shown),
		cmocka_unit_test(by_a_peer), cmocka_unit_test(chain),	   cmocka_unit_test(frozen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
