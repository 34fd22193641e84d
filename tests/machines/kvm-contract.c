// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * The contract of VMs on this machine's KVM, and the whole way of an interrupt: a device's message,
 * VFIO's eventfd, irqfd, the guest's interrupt controller.
 * Arguments of kvm: interrupts.md CONTROLLER...; of way: 0000:00:05.0 (an edu) CONTROLLER...
 */
#include "contracts.h"
#include "devices.h"

#include <fcntl.h>
#include <kvm_guest.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#if defined(__aarch64__)
#define COLUMN "kvm-arm64"
#else
#define COLUMN "kvm-x86"
#endif

#define GSI 300u
#define PIN 7u
#define VECTOR 0x47u
#define LPI 8200u
#define EVENT 3u
#define DEVICE 0x18u
/* GITS_TRANSLATER of a guest's ITS where options do not say otherwise. */
#define DOORBELL 0x8090040u

static const struct {
	const char *name;
	enum ward_vm_controller controller;
} controllers[] = {
	{ "x86", WARD_VM_X86 },	    { "split", WARD_VM_X86_SPLIT }, { "gicv2", WARD_VM_GICV2 },
	{ "gicv3", WARD_VM_GICV3 }, { "its", WARD_VM_GICV3_ITS },
};

static bool find_controller(const char *name, enum ward_vm_controller *ret_controller)
{
	for (size_t i = 0; i < sizeof(controllers) / sizeof(controllers[0]); i++) {
		if (strcmp(name, controllers[i].name) != 0)
			continue;
		*ret_controller = controllers[i].controller;
		return true;
	}
	return false;
}

static bool begin(struct vm_contract *contract, struct kvm_host *host, const char *controller)
{
	*contract = (struct vm_contract){
		.ops = &kvm_guest_ops,
		.context = host,
		.table = { .column = COLUMN, .failed = contract_says },
	};
	if (!find_controller(controller, &contract->controller)) {
		printf("# %s: no such controller\n", controller);
		return false;
	}
	host->kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (host->kvm < 0)
		printf("# /dev/kvm cannot be opened\n");
	return host->kvm >= 0;
}

int kvm_contract(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		struct vm_contract contract;
		struct kvm_host host;

		if (!begin(&contract, &host, argv[i]) ||
		    !contract_read_differences(&contract.table, argv[0]))
			return 1;
		vm_contract_begin(&contract);
		for (const struct vm_contract_case *one = vm_contract_cases; one->name; one++) {
			uint32_t before = contract.table.failures;
			char name[128];

			one->run(&contract);
			snprintf(name, sizeof(name), "%s: %s", argv[i], one->name);
			contract_done(name, contract.table.failures != before);
		}
		close(host.kvm);
	}
	return argc > 1 ? 0 : 2;
}

/* What the guest's MSI is: a pin, as of a GICv2m frame; an event of its ITS; a vector. */
static struct ward_route guest_route(struct vm_guest *guest, uint32_t *ret_number)
{
	struct ward_route route = { .gsi = ward_gsi(GSI), .kind = WARD_ROUTE_MSI };

	switch (guest->contract->controller) {
	case WARD_VM_GICV2:
	case WARD_VM_GICV3:
		route.kind = WARD_ROUTE_PIN;
		route.pin = PIN;
		*ret_number = 32 + PIN;
		guest->contract->ops->program(guest, PIN, 32 + PIN, false);
		break;
	case WARD_VM_GICV3_ITS:
		route.flags = WARD_ROUTE_DEVID;
		route.address = ward_gpa(DOORBELL);
		route.data = EVENT;
		route.devid = ward_devid(DEVICE);
		*ret_number = LPI;
		guest->contract->ops->map_event(guest, route.devid, EVENT, LPI);
		break;
	case WARD_VM_X86:
	case WARD_VM_X86_SPLIT:
	default:
		route.address = ward_gpa(0xfee00000);
		route.data = VECTOR;
		*ret_number = VECTOR;
		break;
	}
	return route;
}

/* Each time it is raised it arrives once; a guest that masks it hears nothing, and then one. */
static const char *travel(struct ward_device *device, struct vm_guest *guest)
{
	struct ward_irqfd irqfd = { .eventfd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
				    .gsi = ward_gsi(GSI) };
	const struct ward_irq_set set = { .flags = WARD_IRQ_TRIGGER | WARD_IRQ_DATA_EVENTFD,
					  .index = WARD_IRQS_MSI,
					  .count = 1,
					  .data = &irqfd.eventfd,
					  .data_size = sizeof(irqfd.eventfd) };
	const struct vm_guest_ops *ops = guest->contract->ops;
	uint32_t number;
	struct ward_route route = guest_route(guest, &number);
	bool arrived = false;

	if (ward_vm_set_routes(guest->vm, &route, 1) || ward_vm_irqfd(guest->vm, &irqfd))
		return "the guest's half cannot be set up";
	if (ward_device_set_irqs(device, &set))
		return "the host's half cannot be set up";
	if (ops->pending(guest, 0, number))
		return "pending before it was raised";
	device_raise(device, WARD_IRQS_MSI, 0);
	for (int i = 0; i < 1000 && !arrived; i++) {
		ops->run(guest);
		arrived = ops->pending(guest, 0, number);
	}
	if (!arrived)
		return "nothing arrives";
	ops->take_and_end(guest, number);
	if (ops->pending(guest, 0, number))
		return "it was taken, and is pending still";
	irqfd.flags = WARD_IRQFD_DEASSIGN;
	ward_vm_irqfd(guest->vm, &irqfd);
	device_raise(device, WARD_IRQS_MSI, 0);
	device_settle();
	if (ops->pending(guest, 0, number))
		return "it arrives while it is masked";
	irqfd.flags = 0;
	ward_vm_irqfd(guest->vm, &irqfd);
	for (int i = 0; i < 1000; i++) {
		ops->run(guest);
		if (ops->pending(guest, 0, number))
			return NULL;
	}
	return "what came while it was masked is lost";
}

static const char *way_of(struct ward_device *device, struct vm_contract *contract)
{
	const struct ward_vm_options options = { .size = sizeof(options),
						 .controller = contract->controller,
						 .cpus = 1 };
	struct vm_guest *guest = NULL;
	const char *wrong;

	if (contract->ops->make(contract, &options, &guest))
		return "the guest cannot be made";
	wrong = contract->ops->start(guest) ? "the guest cannot be started" : travel(device, guest);
	contract->ops->end(guest);
	return wrong;
}

int whole_way(int argc, char **argv)
{
	struct ward_backend *backend = contract_backend();

	if (!backend || argc < 2)
		return 1;
	for (int i = 1; i < argc; i++) {
		struct ward_device *device = NULL;
		struct ward_error why = { "" };
		struct vm_contract contract;
		struct kvm_host host;
		const char *wrong;
		char name[64];

		if (!begin(&contract, &host, argv[i]) ||
		    ward_device_open(backend, argv[0], &device, &why)) {
			printf("# %s\n", why.text);
			return 1;
		}
		wrong = device_ready(device) ? way_of(device, &contract)
					     : "the command register cannot be written";
		if (wrong)
			printf("# %s\n", wrong);
		snprintf(name, sizeof(name), "from edu to %s", argv[i]);
		contract_done(name, wrong);
		ward_device_close(device);
		close(host.kvm);
	}
	ward_backend_destroy(backend);
	return 0;
}
