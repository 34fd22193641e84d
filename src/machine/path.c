// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* The way of a function from the root: what it is called by, whatever its bus is numbered today. */
#include <doorward/machine.h>

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

/* A bridge leads to a higher bus number than its own. */
#define WAY_MAX 256

struct text {
	char *at;
	size_t room;
	bool full;
};

__attribute__((format(printf, 2, 3))) static void put(struct text *text, const char *format, ...)
{
	va_list args;
	int length;

	va_start(args, format);
	length = vsnprintf(text->at, text->room, format, args);
	va_end(args);
	if (length < 0 || (size_t)length >= text->room) {
		text->full = true;
		return;
	}
	text->at += length;
	text->room -= (size_t)length;
}

static void put_function(struct text *text, const struct ward_function *f)
{
	unsigned int devfn = ward_rid_devfn(f->address.rid);

	put(text, "/%02x.%x", devfn >> 3, devfn & 7);
}

/*
 * A VF comes after its PF, by how far its requester id is from the PF's: its own bus and device
 * number may be that of another function behind the same bridge.
 */
static void put_way(struct text *text, const struct ward_machine *machine, uint32_t function)
{
	const struct ward_function *f = &machine->functions[function], *pf = f;
	uint32_t way[WAY_MAX], count = 0;

	if (f->physfn != WARD_NONE)
		pf = &machine->functions[f->physfn];
	for (uint32_t up = pf->parent; up != WARD_NONE && count < WAY_MAX;
	     up = machine->functions[up].parent)
		way[count++] = up;
	put(text, "%04x:%02x", (unsigned int)pf->address.segment,
	    ward_rid_bus(count ? machine->functions[way[count - 1]].address.rid : pf->address.rid));
	while (count)
		put_function(text, &machine->functions[way[--count]]);
	put_function(text, pf);
	if (pf != f)
		put(text, "/vf%u",
		    (unsigned int)(uint16_t)(ward_rid_raw(f->address.rid) -
					     ward_rid_raw(pf->address.rid)));
}

int ward_machine_path(const struct ward_machine *machine, uint32_t function, char *ret_text,
		      size_t size)
{
	char buffer[WARD_PATH_TEXT];
	struct text text = { buffer, sizeof(buffer), false };
	size_t length;

	if (function >= machine->functions_count)
		return -EINVAL;
	if (machine->functions[function].kind == WARD_FUNCTION_PCI)
		put_way(&text, machine, function);
	else
		put(&text, "%s", machine->functions[function].name);
	length = (size_t)(text.at - buffer);
	if (text.full || length >= size)
		return -ENOSPC;
	for (size_t i = 0; i <= length; i++)
		ret_text[i] = buffer[i];
	return 0;
}
