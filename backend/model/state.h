/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The model: a software machine (src/emul) and what in a kernel would be its drivers.
 *
 *	model.c		the machine and the calls of <doorward/backend/model.h>
 *	stream.c	who is seen by which IOMMU under which ids
 *	space.c		mappings, in tables that an IOMMU walks once a device is attached
 *	device.c	opened functions: attach, registers, reset
 *	entry.c		one entry of a stream or context table is replaced by another
 *	smmuv3.c, vtd.c	the drivers: registers, tables, invalidation
 *	irq.h		host interrupts: controllers, vectors, eventfds
 *	executor.h	plans carried out: owners that are real
 */
#ifndef BACKEND_MODEL_STATE_H
#define BACKEND_MODEL_STATE_H

#include <doorward/backend/interface.h>
#include <doorward/backend/model.h>
#include <doorward/stage1.h>

#include "dma/mapping_tree.h"
#include "dma/table.h"
#include "emul/machine.h"

struct ward_model;
struct ward_model_iommu;
struct ward_model_space;
struct ward_model_irqs;
struct ward_model_host;
struct ward_smmuv3;
struct ward_vtd;

/* One id at one IOMMU. */
struct ward_model_stream {
	uint32_t iommu;
	ward_sid_t sid;
	/*
	 * What its cached translations are tagged with (VMID, domain id): one for each stream, not
	 * for each space. So entries of two spaces differ in one 64-bit word, the tables' address,
	 * and one store moves the stream.
	 */
	uint16_t tag;
	uint64_t entry_at; /* of its entry, in memory */
	bool ats;	   /* its device has a cache that is to be invalidated */
	/* Devices attached by it share a space, for the IOMMU cannot tell them apart. */
	uint32_t attached;
	struct ward_model_space *space;
	struct ward_model_stream *beside; /* the next one that uses the same tables */
};

/* What a driver does. Nothing here fails but the first two. */
struct ward_model_driver {
	const struct ward_table_format *format;
	/* Creates the hardware and its tables, all blocked; last_sid is the largest id in use. */
	int (*create)(struct ward_model_iommu *iommu, uint32_t last_sid);
	/* Makes room for the entry of a stream. */
	int (*prepare)(struct ward_model_iommu *iommu, struct ward_model_stream *stream);
	/* Switches the hardware on. */
	void (*enable)(struct ward_model_iommu *iommu);
	/* Puts the entry of stream->space (NULL: blocked) into the table. */
	void (*set_entry)(struct ward_model_iommu *iommu, struct ward_model_stream *stream);
	/* Takes what is cached for it out of the IOMMU, and out of the device: false, no answer. */
	void (*flush)(struct ward_model_iommu *iommu, const struct ward_model_stream *stream,
		      struct ward_range range);
	bool (*flush_device)(struct ward_model_iommu *iommu, const struct ward_model_stream *stream,
			     struct ward_range range);
};

extern const struct ward_model_driver ward_model_smmuv3;
extern const struct ward_model_driver ward_model_vtd;

struct ward_model_iommu {
	const struct ward_model_driver *driver; /* NULL: nothing translates there */
	struct ward_model *model;
	uint32_t index;
	uint32_t streams; /* of it */
	union {
		struct {
			struct ward_smmuv3 *hardware;
			uint64_t table, commands, events;
			uint8_t stream_bits, split; /* split 0: a linear table */
			uint32_t prod;
		} smmu;
		struct {
			struct ward_vtd *hardware;
			uint64_t root, queue, status;
			uint32_t tail;
			/* Interrupts: the table, 0 where they are not remapped; its entries taken. */
			uint64_t irt;
			uint8_t *irtes;
		} vtd;
	} u;
};

struct ward_model_space {
	struct ward_model_space *next;
	struct ward_model *model; /* NULL: it was destroyed before the space */
	enum ward_space_kind kind;
	/* Nested: whose tables are the stage 2, and the guest's stage 1. */
	struct ward_model_space *parent;
	struct ward_stage1 stage1;
	/* What is mapped, kept beside the tables: a caller's mistake is seen here. */
	struct ward_tree mappings;
	struct ward_reserved *reserved;
	size_t reserved_count, reserved_capacity;
	/* The tables, made when the first device is attached; format NULL until then. */
	struct ward_table table;
	/* Streams that use the tables, those of nested spaces among them. */
	struct ward_model_stream *streams;
};

/* Ids of one function: its own and its aliases. */
#define WARD_MODEL_IDS (1 + WARD_ALIASES_MAX)

struct ward_model_device {
	struct ward_model *model;
	uint32_t function;
	uint32_t streams[WARD_MODEL_IDS];
	uint32_t streams_count;
	struct ward_model_space *space;
	struct ward_space *handle; /* the same, as the library has it; NULL: none */
	struct ward_model_irqs *irqs;
	bool thaws; /* it was frozen before its domain was thawed */
};

struct ward_model {
	const struct ward_machine *facts;
	struct ward_memory *memory;
	struct ward_table_pages *pages;
	struct ward_emul *emul;
	struct ward_model_iommu *iommus;
	struct ward_model_stream *streams;
	uint32_t streams_count;
	struct ward_model_device **devices; /* by function; NULL: not open */
	struct ward_model_space *spaces;
	struct ward_model_host *host; /* irq.h */
	void (*misused)(void *context, const char *how);
	void *misused_context;
};

/* What a backend is; NULL: no model. */
struct ward_model *ward_model_of(const struct ward_backend *backend);
/* A caller's mistake: told to whom it may concern; returns code. */
int ward_model_misuse(struct ward_model *model, int code, const char *how);
/* The device at the other end of a stream is asked to forget; it is frozen when it does not. */
bool ward_model_answers(void *iommu, ward_sid_t sid, struct ward_range range);

/* stream.c */
int ward_model_find_streams(struct ward_model *model);
uint32_t ward_model_ids(const struct ward_model *model, uint32_t function,
			uint32_t ret_streams[WARD_MODEL_IDS]);
/* Its device did not answer: whoever may be seen with it is frozen. */
void ward_model_freeze_stream(struct ward_model *model, const struct ward_model_stream *stream);

/* space.c */
extern const struct ward_space_ops ward_model_space_ops;
int ward_model_space_make(void *model, struct ward_space_options *options);
struct ward_model_space *ward_model_space_of(const struct ward_model *model,
					     const struct ward_space *space);
/* Whose tables a space goes through at last; NULL: none. */
struct ward_model_space *ward_model_tables(struct ward_model_space *space);
/* Builds the tables unless they are there. -EOPNOTSUPP: they are of another format. */
int ward_model_space_build(struct ward_model_space *space, const struct ward_table_format *format);
/* The caches of the IOMMU and of the device forget a range; who does not answer is frozen. */
void ward_model_flush(struct ward_model *model, const struct ward_model_stream *stream,
		      struct ward_range range);

/* device.c */
int ward_model_open(void *model, const char *name, const struct ward_device_ops **ret_ops,
		    void **ret_device);

/*
 * entry.c: replaces an entry in as few steps as the hardware lets one. used tells which words an
 * entry makes the hardware look at; blocked is a word 0 with which it looks at no other and refuses.
 */
struct ward_model_entry {
	struct ward_memory *memory;
	uint64_t at;
	unsigned int words; /* at most 8 */
	unsigned int (*used)(const uint64_t *words);
	uint64_t blocked;
	/* The hardware forgets what it knows of the entry. */
	void (*flush)(void *context);
	void *context;
};
void ward_model_entry_replace(const struct ward_model_entry *entry, const uint64_t *words);

#endif
