/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The kept corpus of fuzz_config holds an accepted input for each structure. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "pci/bytes.h"

enum {
	SEEN_MSI = 16, /* below: PCIe types */
	SEEN_MSIX,
	SEEN_ACS,
	SEEN_EGRESS,
	SEEN_ATS,
	SEEN_PRI,
	SEEN_PASID,
	SEEN_SRIOV,
	SEEN_FLR,
	SEEN_AF,
	SEEN_PM,
	SEEN_BRIDGE,
	SEEN_CARDBUS,
	SEEN_SUBSYSTEM,
	SEEN_PLAIN,
	SEEN_HEADER,
};

static uint32_t bit(bool on, unsigned int which)
{
	return on ? 1u << which : 0;
}

static uint32_t structures(const struct ward_function *f)
{
	uint32_t seen = 0;

	if (f->pcie_known == WARD_YES && f->pcie_type != WARD_PCIE_NONE)
		seen |= 1u << f->pcie_type;
	seen |= bit(f->msi, SEEN_MSI) | bit(f->msix, SEEN_MSIX);
	seen |= bit(f->acs.present == WARD_YES, SEEN_ACS) | bit(f->acs.egress[0], SEEN_EGRESS);
	seen |= bit(f->ats_enabled, SEEN_ATS) | bit(f->pri_enabled, SEEN_PRI);
	seen |= bit(f->pasid_enabled, SEEN_PASID) | bit(f->vfs_enabled, SEEN_SRIOV);
	seen |= bit(f->resets & WARD_RESET_FLR, SEEN_FLR) | bit(f->resets & WARD_RESET_AF, SEEN_AF);
	seen |= bit(f->resets & WARD_RESET_PM, SEEN_PM);
	seen |= bit(!ward_range_is_empty(f->bridge.prefetchable), SEEN_BRIDGE);
	seen |= bit(f->header_type == 2, SEEN_CARDBUS);
	seen |= bit(f->header_type == 1 && f->subsystem_vendor, SEEN_SUBSYSTEM);
	seen |= bit(f->config_size == 256, SEEN_PLAIN) | bit(f->config_size == 64, SEEN_HEADER);
	return seen;
}

static void every_structure_is_there(void **state)
{
	const uint32_t types = 1 << 0 | 1 << 1 | 0x7f << 4;
	const uint32_t all = types | (uint32_t)(0xffffffffu << SEEN_MSI);
	const char *root = getenv("DOORWARD_SOURCE");
	struct dirent *entry;
	uint32_t seen = 0;
	char path[4096];
	DIR *directory;

	(void)state;
	snprintf(path, sizeof(path), "%s/fuzz/corpus/config", root ? root : ".");
	directory = opendir(path);
	assert_non_null(directory);
	while ((entry = readdir(directory))) {
		uint8_t bytes[WARD_CONFIG_FULL + 1];
		struct ward_pci_problems problems;
		struct ward_function function;
		ssize_t size;
		int fd, r;

		if (entry->d_name[0] == '.')
			continue;
		fd = openat(dirfd(directory), entry->d_name, O_RDONLY | O_CLOEXEC);
		assert_true(fd >= 0);
		size = read(fd, bytes, sizeof(bytes));
		close(fd);
		assert_true(size > 1);
		blank(&function);
		r = ward_pci_config_parse(bytes + 1, (size_t)size - 1, &function, &problems);
		assert_int_equal(r, strcmp(entry->d_name, "no-answer") ? 0 : -ENODATA);
		/* Damage only where the name says so. */
		assert_int_equal(problems.mask != 0, !strncmp(entry->d_name, "looping", 7) || r);
		if (!r)
			seen |= structures(&function);
	}
	closedir(directory);
	assert_int_equal(seen, all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_structure_is_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
