// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * Interrupts of the host. /sys/kernel/irq is the source, /proc/interrupts where that is missing
 * (Linux before 4.9): it lacks interrupts that were allocated and never requested.
 */
#include "machine/read.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "machine/read_files.h"

#define IRQS_MAX (1u << 20)

static int parse_u32(const char *text, uint32_t *ret_number)
{
	unsigned long long number;
	char *end;

	if (text[0] < '0' || text[0] > '9')
		return -EINVAL;
	errno = 0;
	number = strtoull(text, &end, 10);
	if (errno || *end != '\0' || number > UINT32_MAX)
		return -EINVAL;
	*ret_number = (uint32_t)number;
	return 0;
}

static int add_irq(struct ward_reading *reading, const struct ward_seen_irq *irq)
{
	void *irqs = reading->irqs;
	int err;

	if (reading->irqs_count >= IRQS_MAX)
		return 0;
	err = ward_array_reserve(&irqs, &reading->irqs_capacity, reading->irqs_count + 1,
				 sizeof(*irq));
	if (err < 0)
		return err;
	reading->irqs = irqs;
	reading->irqs[reading->irqs_count++] = *irq;
	return 0;
}

static int read_irq_dir(struct ward_reading *reading, const struct ward_dir *irqs, const char *name)
{
	struct ward_seen_irq irq = { .chip = "" };
	char chip[128], actions[512];
	struct ward_dir dir;
	uint64_t hwirq = 0;
	int err;

	if (parse_u32(name, &irq.number) < 0)
		return 0;
	err = ward_dir_enter(irqs, name, &dir);
	if (err < 0)
		return err;
	err = ward_dir_text(&dir, WARD_FILE_IRQ_CHIP, sizeof(chip), chip);
	if (err == 0 && chip[0] && !(irq.chip = ward_arena_strdup(&reading->arena, chip)))
		err = -ENOMEM;
	if (!ward_tree_failed(err))
		/* An interrupt without a domain has an empty file: number 0 will do. */
		err = ward_dir_number(&dir, WARD_FILE_IRQ_HWIRQ, 10, UINT64_MAX, &hwirq);
	if (!ward_tree_failed(err))
		err = ward_dir_text(&dir, WARD_FILE_IRQ_ACTIONS, sizeof(actions), actions);
	ward_dir_close(&dir);
	if (ward_tree_failed(err))
		return err;
	/* A list too long for us is no empty one. */
	irq.used = err == -EACCES || (err == 0 && actions[0] != '\0');
	irq.hwirq = (uint32_t)hwirq;
	return add_irq(reading, &irq);
}

static int read_irq_dirs(struct ward_reading *reading, const struct ward_dir *irqs)
{
	struct ward_names names;
	int err;

	err = ward_dir_list(irqs, &names);
	if (err < 0)
		return err;
	for (size_t i = 0; i < names.count && !ward_tree_failed(err); i++)
		err = read_irq_dir(reading, irqs, names.name[i]);
	ward_names_finish(&names);
	return ward_tree_failed(err) ? err : 0;
}

/* Moves *line to its next word and ends that; NULL when there is none. */
static char *next_word(char **line)
{
	char *word;

	do {
		word = strsep(line, " \t");
	} while (word && word[0] == '\0');
	return word;
}

/* "25:  0  0  IR-PCI-MSI 458752-edge  PCIe PME, aerdrv" */
static int parse_line(struct ward_reading *reading, char *line, unsigned int cpus)
{
	struct ward_seen_irq irq = { .chip = "" };
	char *word = next_word(&line);
	size_t length = word ? strlen(word) : 0;

	if (length < 2 || word[length - 1] != ':')
		return 0;
	word[length - 1] = '\0';
	if (parse_u32(word, &irq.number) < 0)
		return 0;
	while (cpus-- > 0)
		if (!next_word(&line))
			return 0;
	word = next_word(&line);
	if (!word)
		return 0;
	for (char *at = word; *at; at++)
		if (*at < 0x20 || *at > 0x7e)
			*at = '?';
	irq.chip = ward_arena_strdup(&reading->arena, word);
	if (!irq.chip)
		return -ENOMEM;
	word = next_word(&line);
	irq.hwirq = word ? (uint32_t)strtoul(word, NULL, 10) : 0;
	irq.used = line && line[strspn(line, " \t")] != '\0';
	return add_irq(reading, &irq);
}

static int read_proc_interrupts(struct ward_reading *reading)
{
	struct ward_bytes bytes = { 0 };
	char *text, *rest, *line, *word;
	unsigned int cpus = 0;
	struct ward_dir proc;
	int err;

	err = ward_dir_open(&reading->tree, WARD_DIR_PROC, &proc);
	if (err < 0)
		return err;
	err = ward_dir_read(&proc, WARD_FILE_INTERRUPTS, WARD_LIMIT_INTERRUPTS, &bytes);
	ward_dir_close(&proc);
	if (err < 0)
		return err;
	text = ward_alloc(bytes.size + 1);
	if (text)
		memcpy(text, bytes.data, bytes.size);
	free(bytes.data);
	if (!text)
		return -ENOMEM;
	rest = text;
	line = strsep(&rest, "\n");
	while (line && (word = next_word(&line)))
		cpus += !strncmp(word, "CPU", 3);
	while (err == 0 && (line = strsep(&rest, "\n")))
		err = parse_line(reading, line, cpus);
	free(text);
	return err;
}

static int compare_irqs(const void *a, const void *b)
{
	const struct ward_seen_irq *x = a, *y = b;

	return x->number < y->number ? -1 : x->number > y->number;
}

static bool is_msi(const char *chip)
{
	return strstr(chip, "MSI") != NULL;
}

/*
 * Remapped chips of x86 begin with "IR-" (Linux arch/x86/kernel/apic/msi.c and io_apic.c). PCI
 * MSIs decide; IO-APIC lines where there are none.
 */
static void judge_remapping(struct ward_reading *reading)
{
	const char *plain = NULL, *remapped = NULL;
	const char *part[] = { "PCI-MSI", "IO-APIC" };

	for (size_t p = 0; p < 2 && !plain && !remapped; p++)
		for (size_t i = 0; i < reading->irqs_count; i++) {
			const char *chip = reading->irqs[i].chip;

			if (!strncmp(chip, "IR-", 3) &&
			    !strncmp(chip + 3, part[p], strlen(part[p])))
				remapped = chip;
			else if (!strncmp(chip, part[p], strlen(part[p])))
				plain = chip;
		}
	if (remapped) {
		reading->evidence.remapping = WARD_YES;
		reading->remapping_reason = "interrupt chips named IR-* are in use";
	} else if (plain) {
		reading->evidence.remapping = WARD_NO;
		reading->remapping_reason = "no interrupt chip in use is named IR-*";
	}
}

int ward_read_irqs(struct ward_reading *reading)
{
	struct ward_dir irqs;
	int err;

	err = ward_dir_open(&reading->tree, WARD_DIR_IRQS, &irqs);
	if (err == 0) {
		err = read_irq_dirs(reading, &irqs);
		ward_dir_close(&irqs);
	}
	if (!ward_tree_failed(err) && reading->irqs_count == 0)
		err = read_proc_interrupts(reading);
	if (ward_tree_failed(err))
		return err;
	if (reading->irqs_count == 0)
		return ward_builder_remark(reading->builder, "tree-incomplete",
					   "neither " WARD_DIR_IRQS " nor proc/interrupts tells of "
					   "interrupts");
	qsort(reading->irqs, reading->irqs_count, sizeof(*reading->irqs), compare_irqs);
	judge_remapping(reading);
	return 0;
}

struct ward_seen_irq *ward_read_find_irq(const struct ward_reading *reading, uint32_t number)
{
	struct ward_seen_irq key = { .number = number };

	if (reading->irqs_count == 0)
		return NULL;
	return bsearch(&key, reading->irqs, reading->irqs_count, sizeof(key), compare_irqs);
}

/* Reads the entries of msi_irqs: one file per interrupt, "msi" or "msix" in it. */
static int read_msi_irqs(struct ward_reading *reading, const struct ward_dir *dir,
			 const struct ward_names *names, struct ward_seen *seen)
{
	struct ward_seen_irq *irq;
	uint32_t number;
	char kind[16];
	int err;

	seen->irqs = ward_arena_alloc(&reading->arena, names->count * sizeof(*seen->irqs));
	if (!seen->irqs)
		return -ENOMEM;
	for (size_t i = 0; i < names->count; i++) {
		if (parse_u32(names->name[i], &number) < 0)
			continue;
		err = ward_dir_text(dir, names->name[i], sizeof(kind), kind);
		if (ward_tree_failed(err))
			return err;
		if (err < 0)
			continue;
		seen->irqs[seen->irqs_count++] = number;
		if (!strcmp(kind, "msix"))
			seen->mode = WARD_IRQ_MSIX;
		else if (seen->mode != WARD_IRQ_MSIX)
			seen->mode = WARD_IRQ_MSI;
		irq = ward_read_find_irq(reading, number);
		if (irq)
			irq->claimed = true;
	}
	return 0;
}

int ward_read_function_irqs(struct ward_reading *reading, const struct ward_dir *dir,
			    struct ward_seen *seen)
{
	const struct ward_seen_irq *line;
	struct ward_names names;
	struct ward_dir msi_irqs;
	int err;

	seen->mode = WARD_IRQ_NONE;
	err = ward_dir_enter(dir, WARD_DIR_MSI_IRQS, &msi_irqs);
	if (err == 0) {
		err = ward_dir_list(&msi_irqs, &names);
		if (err == 0) {
			err = read_msi_irqs(reading, &msi_irqs, &names, seen);
			ward_names_finish(&names);
		}
		ward_dir_close(&msi_irqs);
	}
	if (ward_tree_failed(err))
		return err;
	if (err == -EACCES)
		seen->mode = WARD_IRQ_UNKNOWN;
	/* With MSI (not MSI-X) the file irq names the first message, not the line. */
	for (uint32_t i = 0; i < seen->irqs_count; i++)
		if (seen->irqs[i] == seen->irq)
			seen->irq = 0;
	line = seen->irq ? ward_read_find_irq(reading, seen->irq) : NULL;
	if (seen->mode == WARD_IRQ_NONE && seen->driver && line && line->used)
		seen->mode = WARD_IRQ_INTX;
	return 0;
}

/*
 * Linux takes GICv2m vectors from any frame of the pool, and shows which one only as the data of
 * an MSI capability (the SPI); MSI-X keeps it in a BAR.
 */
static uint32_t frame_of(const struct ward_machine *machine, const struct ward_seen *seen,
			 uint32_t controller)
{
	const struct ward_controller *own = &machine->controllers[controller];
	uint32_t members = 0, found = WARD_NONE;

	if (own->kind != WARD_CONTROLLER_GICV2M)
		return controller;
	for (uint32_t i = 0; i < machine->controllers_count; i++) {
		const struct ward_controller *frame = &machine->controllers[i];

		if (frame->kind != WARD_CONTROLLER_GICV2M || frame->pool != own->pool)
			continue;
		members++;
		/* The data of a message is the number of the interrupt. */
		if (seen->function.msi_message_known &&
		    seen->function.msi_message.data >= frame->first_intid &&
		    seen->function.msi_message.data - frame->first_intid < frame->intids)
			found = i;
	}
	return members == 1 ? controller : found;
}

static int add_vectors_of(const struct ward_reading *reading, const struct ward_machine *machine,
			  const struct ward_seen *seen, uint32_t index, struct ward_state *state)
{
	uint32_t controller = machine->functions[index].controller;
	int err = 0;

	if (controller != WARD_NONE)
		controller = frame_of(machine, seen, controller);
	for (uint32_t i = 0; i < seen->irqs_count && err == 0; i++) {
		const struct ward_seen_irq *irq = ward_read_find_irq(reading, seen->irqs[i]);
		struct ward_host_vector vector = {
			.irq = seen->irqs[i],
			.hwirq = irq ? irq->hwirq : 0,
			.function = index,
			.controller = controller,
			.chip = irq ? irq->chip : "",
		};

		err = ward_state_add_vector(state, &vector);
	}
	return err;
}

/* Where an MSI that no function claims goes, when only one controller can take it. */
static uint32_t only_controller(const struct ward_machine *machine)
{
	/* x86 has MSIs that are not remapped beside those that are ("DMAR-MSI"). */
	return machine->arch != WARD_ARCH_X86 && machine->controllers_count == 1 ? 0 : WARD_NONE;
}

int ward_read_vectors(struct ward_reading *reading, const struct ward_machine *machine,
		      struct ward_state *state)
{
	int err = 0;

	for (size_t i = 0; i < reading->seen_count && err == 0; i++)
		if (reading->seen[i].ordinal != WARD_NONE)
			err = add_vectors_of(reading, machine, &reading->seen[i],
					     reading->seen[i].ordinal, state);
	for (size_t i = 0; i < reading->irqs_count && err == 0; i++) {
		const struct ward_seen_irq *irq = &reading->irqs[i];
		struct ward_host_vector vector = {
			.irq = irq->number,
			.hwirq = irq->hwirq,
			.function = WARD_NONE,
			.controller = only_controller(machine),
			.chip = irq->chip,
		};

		if (!irq->claimed && is_msi(irq->chip))
			err = ward_state_add_vector(state, &vector);
	}
	return err;
}
