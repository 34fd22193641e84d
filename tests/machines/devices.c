// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* Registers: docs/specs/edu.rst of QEMU; Intel 82574 datasheet, 10.2.4 (interrupts). */
#include "devices.h"

#include <time.h>

#define CONFIG 7u
#define COMMAND 4u
#define COMMAND_MEMORY_MASTER 6u

#define EDU_SIZE 0x100000u
#define EDU_RAISE 0x60u
#define EDU_ACKNOWLEDGE 0x64u

#define E1000E_CTRL 0x0u
#define E1000E_RESET 0x04000000u
#define E1000E_ICR 0xc0u
#define E1000E_ICS 0xc8u
#define E1000E_IMS 0xd0u
#define E1000E_IMC 0xd8u
#define E1000E_EIAC 0xdcu
#define E1000E_IVAR 0xe4u
/* Five causes, 20 to 24, each to a vector of its own, and valid. */
#define E1000E_CAUSES 0x01f00000u
#define E1000E_FIRST_CAUSE 20
#define E1000E_VECTORS 0xcba98u

static bool put(struct ward_device *device, uint32_t offset, uint32_t value)
{
	return ward_device_write(device, 0, offset, &value, sizeof(value)) == 0;
}

bool device_is_edu(struct ward_device *device)
{
	struct ward_device_info info;

	return ward_device_info(device, &info) == 0 && info.region_size[0] == EDU_SIZE;
}

static bool raise_edu(struct ward_device *device, uint32_t index, uint32_t vector)
{
	return index == WARD_IRQS_MSI && vector == 0 && put(device, EDU_RAISE, 1) &&
	       put(device, EDU_ACKNOWLEDGE, 1);
}

/*
 * It holds the next interrupt back by a timer of 128 us, and QEMU ends itself when that timer finds MSI-X
 * switched on or off meanwhile. So it is waited for, and longer than it takes: QEMU may be busy. A
 * reset of its registers undoes longer times that a driver has set; what was sent is sent.
 */
static bool calm_e1000e(struct ward_device *device)
{
	const struct timespec moment = { .tv_nsec = 30000000 };
	bool reset = put(device, E1000E_CTRL, E1000E_RESET);

	nanosleep(&moment, NULL);
	return reset;
}

static bool raise_e1000e(struct ward_device *device, uint32_t index, uint32_t vector)
{
	return index == WARD_IRQS_MSIX && vector < 5 && put(device, E1000E_IMC, UINT32_MAX) &&
	       put(device, E1000E_ICR, UINT32_MAX) && put(device, E1000E_IVAR, E1000E_VECTORS) &&
	       put(device, E1000E_EIAC, E1000E_CAUSES) && put(device, E1000E_IMS, E1000E_CAUSES) &&
	       put(device, E1000E_ICS, 1u << (E1000E_FIRST_CAUSE + vector)) && calm_e1000e(device);
}

bool device_ready(struct ward_device *device)
{
	uint16_t command = 0;

	if (ward_device_read(device, CONFIG, COMMAND, &command, sizeof(command)))
		return false;
	command |= COMMAND_MEMORY_MASTER;
	if (ward_device_write(device, CONFIG, COMMAND, &command, sizeof(command)))
		return false;
	return device_is_edu(device) || calm_e1000e(device);
}

bool device_raise(struct ward_device *device, uint32_t index, uint32_t vector)
{
	return device_is_edu(device) ? raise_edu(device, index, vector)
				     : raise_e1000e(device, index, vector);
}

bool device_line(struct ward_device *device, bool level)
{
	return device_is_edu(device) && put(device, level ? EDU_RAISE : EDU_ACKNOWLEDGE, 1);
}

void device_settle(void)
{
	const struct timespec moment = { .tv_nsec = 5000000 };

	nanosleep(&moment, NULL);
}
