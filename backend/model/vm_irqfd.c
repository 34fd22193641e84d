// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * Eventfds that raise GSIs: all of them in one epoll set, edge-triggered, so that a write is seen once
 * and one that was closed while a copy of it lives elsewhere costs nothing. An event carries the slot
 * of its irqfd and the slot's generation.
 *
 * An eventfd is known by the number that /proc/self/fdinfo tells (eventfd-id, Linux 5.2), whichever of
 * its fds names it: that is what the kernel compares (virt/kvm/eventfd.c). One that was closed has
 * left the epoll set by itself; its slot is found to be stale when it stands in the way, or when
 * slots run out.
 */
#include "irq.h"
#include "vm.h"

#include "base/fault.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/uio.h>
#include <unistd.h>

#define EVENTS 64

int ward_vm_irqfds_init(struct vm_model *vm)
{
	vm->irqfds.epoll = epoll_create1(EPOLL_CLOEXEC);
	if (vm->irqfds.epoll < 0)
		return errno == EMFILE || errno == ENFILE ? -EMFILE : -ENOMEM;
	return 0;
}

/* Begins and ends raising with the VM's own reader; the lock is held. */
static void enter(struct vm_model *vm)
{
	if (vm->reader)
		ward_reader_enter(vm->reader);
}

static void leave(struct vm_model *vm)
{
	if (vm->reader)
		ward_reader_exit(vm->reader);
}

/* -EBADF; -EINVAL it is no eventfd. */
static int identify(int fd, uint64_t *ret_id)
{
	char path[48], text[512], *at;
	ssize_t size;
	int info;

	if (fd < 0 || fcntl(fd, F_GETFD) < 0)
		return -EBADF;
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	info = open(path, O_RDONLY | O_CLOEXEC);
	if (info < 0)
		return errno == EMFILE || errno == ENFILE || errno == ENOMEM ? -ENOMEM : -EINVAL;
	size = read(info, text, sizeof(text) - 1);
	close(info);
	if (size <= 0)
		return -EINVAL;
	text[size] = '\0';
	if (!strstr(text, "eventfd-count:"))
		return -EINVAL;
	at = strstr(text, "eventfd-id:");
	/* An older kernel does not tell: then its fd has to do. */
	*ret_id = at ? strtoull(at + strlen("eventfd-id:"), NULL, 10) : UINT64_C(1) << 32 | fd;
	return 0;
}

static struct epoll_event event_of(const struct vm_irqfds *irqfds, const struct vm_irqfd *slot)
{
	return (struct epoll_event){
		.events = EPOLLIN | EPOLLET,
		.data.u64 = (uint64_t)slot->generation << 32 | (uint64_t)(slot - irqfds->slots),
	};
}

/* Whether its eventfd is still the one that was assigned. Announces anew what it holds. */
static bool is_open(struct vm_irqfds *irqfds, const struct vm_irqfd *slot)
{
	struct epoll_event event = event_of(irqfds, slot);

	return epoll_ctl(irqfds->epoll, EPOLL_CTL_MOD, slot->fd, &event) == 0;
}

static bool resamples(const struct vm_irqfds *irqfds, uint32_t gsi)
{
	for (uint32_t i = 0; i < irqfds->count; i++)
		if (irqfds->slots[i].used && irqfds->slots[i].resamplefd >= 0 &&
		    irqfds->slots[i].gsi == gsi)
			return true;
	return false;
}

/* Its eventfd has left the epoll set. The last that resamples a GSI lets go of the line. */
static void drop(struct vm_model *vm, struct vm_irqfd *slot)
{
	struct ward_interrupt interrupt;
	bool resampled = slot->resamplefd >= 0;

	if (resampled)
		close(slot->resamplefd);
	slot->used = false;
	slot->resamplefd = -1;
	slot->generation++;
	vm->irqfds.live--;
	if (!resampled || resamples(&vm->irqfds, slot->gsi))
		return;
	enter(vm);
	ward_vm_raise(vm, vm->reader, slot->gsi, VM_LOW, VM_SOURCE_RESAMPLE, &interrupt);
	leave(vm);
}

static void drop_closed(struct vm_model *vm)
{
	for (uint32_t i = 0; i < vm->irqfds.count; i++) {
		struct vm_irqfd *slot = &vm->irqfds.slots[i];

		if (slot->used && !is_open(&vm->irqfds, slot))
			drop(vm, slot);
	}
}

void ward_vm_irqfds_finish(struct vm_model *vm)
{
	for (uint32_t i = 0; i < vm->irqfds.count; i++)
		if (vm->irqfds.slots[i].used && vm->irqfds.slots[i].resamplefd >= 0)
			close(vm->irqfds.slots[i].resamplefd);
	free(vm->irqfds.slots);
	if (vm->irqfds.epoll >= 0)
		close(vm->irqfds.epoll);
}

/* Takes what an eventfd counted; however much that is, it is one interrupt. */
static bool take_count(int fd)
{
	uint64_t count;
	struct iovec to = { .iov_base = &count, .iov_len = sizeof(count) };

	/* Not to be waited for, even where the eventfd blocks and somebody else was faster. */
	return preadv2(fd, &to, 1, -1, RWF_NOWAIT) == (ssize_t)sizeof(count);
}

/* The lock is held, reader is entered. */
static bool serve(struct vm_model *vm, struct ward_reader *reader, struct vm_irqfd *slot)
{
	struct ward_interrupt interrupt;
	bool resample = slot->resamplefd >= 0;

	/* The fd may be closed, and its number somebody else's, while a copy was written to. */
	if (!is_open(&vm->irqfds, slot)) {
		drop(vm, slot);
		return false;
	}
	if (!take_count(slot->fd))
		return false;
	ward_vm_raise(vm, reader, slot->gsi, resample ? VM_HIGH : VM_PULSE,
		      resample ? VM_SOURCE_RESAMPLE : VM_SOURCE_USER, &interrupt);
	return true;
}

/* A slot nobody has; grows when there is none, not before those that were closed are given back. */
static int find_slot(struct vm_model *vm, struct vm_irqfd **ret_slot)
{
	struct vm_irqfds *irqfds = &vm->irqfds;
	void *slots = irqfds->slots;
	int code;

	if (irqfds->live == irqfds->count && irqfds->count == irqfds->capacity)
		drop_closed(vm);
	for (uint32_t i = 0; irqfds->live < irqfds->count && i < irqfds->count; i++) {
		if (!irqfds->slots[i].used) {
			*ret_slot = &irqfds->slots[i];
			return 0;
		}
	}
	code = ward_array_reserve(&slots, &irqfds->capacity, irqfds->count + 1,
				  sizeof(*irqfds->slots));
	irqfds->slots = slots;
	if (code)
		return code;
	*ret_slot = &irqfds->slots[irqfds->count++];
	**ret_slot = (struct vm_irqfd){ .resamplefd = -1 };
	return 0;
}

/* Whoever has this eventfd, or had this fd for one that was closed. -EBUSY it is in use. */
static int evict(struct vm_model *vm, int fd, uint64_t id)
{
	for (uint32_t i = 0; i < vm->irqfds.count; i++) {
		struct vm_irqfd *slot = &vm->irqfds.slots[i];

		if (!slot->used || (slot->id != id && slot->fd != fd))
			continue;
		if (is_open(&vm->irqfds, slot))
			return -EBUSY;
		drop(vm, slot);
	}
	return 0;
}

/* Moves resamplefd in, which is our own. */
static int add(struct vm_model *vm, const struct ward_irqfd *irqfd, uint64_t id, int *resamplefd)
{
	struct epoll_event event;
	struct vm_irqfd *slot;
	int code = evict(vm, irqfd->eventfd, id);

	if (code == 0)
		code = find_slot(vm, &slot);
	if (code)
		return code;
	event = event_of(&vm->irqfds, slot);
	if (epoll_ctl(vm->irqfds.epoll, EPOLL_CTL_ADD, irqfd->eventfd, &event))
		return errno == EEXIST ? -EBUSY : -ENOMEM;
	slot->used = true;
	slot->fd = irqfd->eventfd;
	slot->id = id;
	slot->gsi = ward_gsi_raw(irqfd->gsi);
	slot->resamplefd = *resamplefd;
	*resamplefd = -1;
	vm->irqfds.live++;
	enter(vm);
	serve(vm, vm->reader, slot);
	leave(vm);
	return 0;
}

static int assign(struct vm_model *vm, const struct ward_irqfd *irqfd)
{
	uint64_t id, resample_id;
	int resamplefd = -1, code = identify(irqfd->eventfd, &id);

	if (code)
		return code;
	if (irqfd->flags & WARD_IRQFD_RESAMPLE) {
		code = identify(irqfd->resamplefd, &resample_id);
		if (code)
			return code;
		/* The kernel holds the eventfd itself: it may be closed, and its number reused. */
		resamplefd = fcntl(irqfd->resamplefd, F_DUPFD_CLOEXEC, 0);
		if (resamplefd < 0)
			return -ENOMEM;
	}
	pthread_mutex_lock(&vm->lock);
	code = add(vm, irqfd, id, &resamplefd);
	pthread_mutex_unlock(&vm->lock);
	if (resamplefd >= 0)
		close(resamplefd);
	return code;
}

static int deassign(struct vm_model *vm, const struct ward_irqfd *irqfd)
{
	uint64_t id;
	int code = identify(irqfd->eventfd, &id);

	if (code)
		return code;
	pthread_mutex_lock(&vm->lock);
	for (uint32_t i = 0; i < vm->irqfds.count; i++) {
		struct vm_irqfd *slot = &vm->irqfds.slots[i];

		if (!slot->used || slot->id != id || slot->gsi != ward_gsi_raw(irqfd->gsi))
			continue;
		/* Fails when this was another eventfd, closed since: that is no loss either. */
		epoll_ctl(vm->irqfds.epoll, EPOLL_CTL_DEL, slot->fd, NULL);
		drop(vm, slot);
	}
	pthread_mutex_unlock(&vm->lock);
	return 0;
}

int ward_vm_irqfd_change(struct vm_model *vm, const struct ward_irqfd *irqfd)
{
	return irqfd->flags & WARD_IRQFD_DEASSIGN ? deassign(vm, irqfd) : assign(vm, irqfd);
}

int ward_vm_model_fd(const struct ward_vm *vm)
{
	const struct vm_model *model = ward_vm_model_of(vm);

	return model ? model->irqfds.epoll : -EINVAL;
}

static int serve_events(struct vm_model *vm, struct ward_reader *reader,
			const struct epoll_event *events, int count)
{
	int served = 0;

	for (int i = 0; i < count; i++) {
		uint32_t at = (uint32_t)events[i].data.u64;
		uint32_t generation = (uint32_t)(events[i].data.u64 >> 32);
		struct vm_irqfd *slot = at < vm->irqfds.count ? &vm->irqfds.slots[at] : NULL;

		if (slot && slot->used && slot->generation == generation)
			served += serve(vm, reader, slot);
	}
	return served;
}

int ward_vm_model_dispatch(struct ward_vm *vm, struct ward_reader *reader)
{
	struct vm_model *model = ward_vm_model_of(vm);
	struct epoll_event events[EVENTS];
	uint32_t rounds = 0, rounds_max;
	int count, served = 0;

	if (!model)
		return -EINVAL;
	do {
		/* The lock is taken for a round, so that those who assign are not kept waiting. */
		pthread_mutex_lock(&model->lock);
		if (!reader)
			reader = model->reader;
		if (reader)
			ward_reader_enter(reader);
		count = epoll_wait(model->irqfds.epoll, events, EVENTS, 0);
		served += serve_events(model, reader, events, count);
		if (reader)
			ward_reader_exit(reader);
		/* No more than there are irqfds for: somebody may write all the time. */
		rounds_max = model->irqfds.count / EVENTS + 1;
		pthread_mutex_unlock(&model->lock);
	} while (count == EVENTS && ++rounds < rounds_max);
	return served;
}

/* First all lines, then all who are told: one of them may raise it again at once. */
void ward_vm_pin_ended(struct vm_model *vm, uint32_t chip, uint32_t pin)
{
	const struct vm_irqfds *irqfds = &vm->irqfds;
	struct ward_interrupt interrupt;
	const struct vm_table *table;

	pthread_mutex_lock(&vm->lock);
	enter(vm);
	table = atomic_load(&vm->table);
	for (int telling = 0; telling < 2; telling++) {
		for (uint32_t i = 0; i < irqfds->count; i++) {
			const struct vm_irqfd *slot = &irqfds->slots[i];

			if (!slot->used || slot->resamplefd < 0 ||
			    !ward_vm_table_has_pin(table, slot->gsi, chip, pin))
				continue;
			if (!telling)
				ward_vm_raise(vm, vm->reader, slot->gsi, VM_LOW, VM_SOURCE_RESAMPLE,
					      &interrupt);
			else
				ward_eventfd_signal(slot->resamplefd);
		}
	}
	leave(vm);
	pthread_mutex_unlock(&vm->lock);
}

uint32_t ward_vm_irqfd_disagree(struct vm_model *vm, const struct vm_table *a,
				const struct vm_table *b)
{
	uint32_t gsi = WARD_NONE;

	pthread_mutex_lock(&vm->lock);
	for (uint32_t i = 0; gsi == WARD_NONE && i < vm->irqfds.count; i++) {
		struct vm_irqfd *slot = &vm->irqfds.slots[i];

		if (!slot->used || ward_vm_table_agree(a, b, slot->gsi))
			continue;
		if (is_open(&vm->irqfds, slot))
			gsi = slot->gsi;
		else
			drop(vm, slot);
	}
	pthread_mutex_unlock(&vm->lock);
	return gsi;
}
