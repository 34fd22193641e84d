// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * A plugin of QEMU's TCG: after each store to the notify register of a virtio device the CPU waits
 * until the recorder (viommu_trace.py) has looked. QEMU's device has answered by then, and the
 * driver has not taken anything back, so the rings in memory hold requests and answers.
 *
 * Arguments: socket=PATH of the recorder, device=NAME of the memory region, insn=MASK:VALUE, which
 * stores are looked at (their first four bytes): a look at each store takes longer than the boot.
 *
 * Debian ships no qemu-plugin.h; what is used of version 1 of its interface is declared here
 * (docs/devel/tcg-plugins.rst of QEMU 7.2 describes it).
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

struct qemu_plugin_tb;
struct qemu_plugin_insn;
struct qemu_plugin_hwaddr;
struct qemu_info_t;

enum { NO_REGISTERS = 0, STORES = 2 };

uint64_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t index);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn);
uint64_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);
void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id,
					   void (*call)(uint64_t id, struct qemu_plugin_tb *tb));
void qemu_plugin_register_vcpu_mem_cb(struct qemu_plugin_insn *insn,
				      void (*call)(unsigned int cpu, uint32_t info,
						   uint64_t address, void *data),
				      int registers, int accesses, void *data);
struct qemu_plugin_hwaddr *qemu_plugin_get_hwaddr(uint32_t info, uint64_t address);
bool qemu_plugin_hwaddr_is_io(const struct qemu_plugin_hwaddr *address);
uint64_t qemu_plugin_hwaddr_phys_addr(const struct qemu_plugin_hwaddr *address);
const char *qemu_plugin_hwaddr_device_name(const struct qemu_plugin_hwaddr *address);

EXPORT int qemu_plugin_version = 1;
EXPORT int qemu_plugin_install(uint64_t id, const struct qemu_info_t *info, int argc, char **argv);

/* Virtual addresses of a driver's notify registers: a store may flush what tells where it went. */
#define KNOWN 8

static int recorder = -1;
static char device[64];
static uint32_t mask, value;
static struct {
	uint64_t address, physical;
} known[KNOWN];
static unsigned int known_count;

static bool is_known(uint64_t address, uint64_t *ret_physical)
{
	for (unsigned int i = 0; i < known_count; i++)
		if (known[i].address == address) {
			*ret_physical = known[i].physical;
			return true;
		}
	return false;
}

static bool is_notification(uint32_t info, uint64_t address, uint64_t *ret_physical)
{
	struct qemu_plugin_hwaddr *where = qemu_plugin_get_hwaddr(info, address);

	if (!where)
		return is_known(address, ret_physical);
	if (!qemu_plugin_hwaddr_is_io(where) ||
	    strcmp(qemu_plugin_hwaddr_device_name(where), device) != 0)
		return false;
	*ret_physical = qemu_plugin_hwaddr_phys_addr(where);
	if (known_count < KNOWN && !is_known(address, &(uint64_t){ 0 })) {
		known[known_count].address = address;
		known[known_count++].physical = *ret_physical;
	}
	return true;
}

static void stored(unsigned int cpu, uint32_t info, uint64_t address, void *data)
{
	uint64_t physical;
	char seen;

	(void)cpu;
	(void)data;
	if (!is_notification(info, address, &physical))
		return;
	if (send(recorder, &physical, sizeof(physical), MSG_NOSIGNAL) != sizeof(physical) ||
	    recv(recorder, &seen, 1, 0) != 1)
		_exit(3);
}

static void translated(uint64_t id, struct qemu_plugin_tb *tb)
{
	(void)id;
	for (size_t i = 0; i < qemu_plugin_tb_n_insns(tb); i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		uint32_t bytes = 0;
		size_t size = qemu_plugin_insn_size(insn);

		memcpy(&bytes, qemu_plugin_insn_data(insn), size < 4 ? size : 4);
		if ((bytes & mask) == value)
			qemu_plugin_register_vcpu_mem_cb(insn, stored, NO_REGISTERS, STORES, NULL);
	}
}

static int connect_to(const char *path)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };

	recorder = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	snprintf(name.sun_path, sizeof(name.sun_path), "%s", path);
	return connect(recorder, (const struct sockaddr *)&name, sizeof(name));
}

int qemu_plugin_install(uint64_t id, const struct qemu_info_t *info, int argc, char **argv)
{
	const char *path = NULL;

	(void)info;
	for (int i = 0; i < argc; i++) {
		if (strncmp(argv[i], "socket=", 7) == 0)
			path = argv[i] + 7;
		else if (strncmp(argv[i], "device=", 7) == 0)
			snprintf(device, sizeof(device), "%s", argv[i] + 7);
		else if (sscanf(argv[i], "insn=%" SCNx32 ":%" SCNx32, &mask, &value) != 2)
			return -1;
	}
	if (!path || !device[0] || connect_to(path) != 0)
		return -1;
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	return 0;
}
