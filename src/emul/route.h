/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* What the parts of the software machine share: the machine laid out for routing, and a request. */
#ifndef EMUL_ROUTE_H
#define EMUL_ROUTE_H

#include "emul/machine.h"

#include <doorward/vector.h>

/* BARs 0 to 5, and the expansion ROM. */
#define EMUL_BARS 7
#define EMUL_REGION_CONFIG 7u

/* What routing asks of a function. */
struct emul_function {
	uint32_t first_child, next_sibling; /* below a bridge; WARD_NONE ends */
	uint32_t device;		    /* functions of one device have the same number */
	uint32_t domain;		    /* index into domains */
	struct ward_range window[2];	    /* of a bridge: goes down */
	bool has_bars;
	bool absent;
	/* Access control as it acts: offered bits, and those that are on. */
	bool acs;
	uint16_t acs_offered, acs_on;
};

/* An error domain. */
struct emul_domain {
	bool freeze_on_fault, frozen;
	struct ward_error_state error;
};

struct emul_iommu {
	const struct ward_emul_iommu_ops *ops;
	void *iommu;
};

struct emul_controller {
	const struct ward_emul_controller_ops *ops;
	void *controller;
};

struct emul_registers {
	uint8_t bar[EMUL_BARS][WARD_EMUL_REGISTERS];
	uint16_t command;
	uint8_t interrupt_line;
};

/* Bus mastering on. */
#define EMUL_COMMAND_MASTER 0x4u

/* MSI and MSI-X registers of a function. */
struct emul_vectors {
	struct ward_vectors *vectors; /* NULL: it has neither */
	uint32_t msi, msix;	      /* how many */
	/* Where the MSI-X table and its PBA are: offsets in a BAR. WARD_NONE: in none. */
	uint32_t bar, table, pba;
	struct ward_emul *emul;
	uint32_t function;
	struct ward_raise *raise; /* of the one that is being raised; else NULL */
};

struct ward_emul {
	const struct ward_machine *facts;
	struct ward_memory *memory;
	struct ward_model_temper temper;
	struct emul_function *functions;
	struct emul_domain *domains;
	struct emul_registers *registers;
	struct emul_iommu *iommus;
	struct emul_controller *controllers;
	struct emul_vectors *vectors; /* one for each function */
	unsigned int sending;	      /* messages on their way, one because of the other */
	void (*frozen)(void *context, uint32_t function); /* NULL: nobody is told */
	void *frozen_context;
	uint32_t first_root; /* functions on root buses, chained by next_sibling */
};

/* A request on its way. */
struct emul_request {
	uint32_t source;
	uint64_t address;
	bool write, translated;
	bool probe; /* where would it go? Leaves no trace. */
	/* Sent up on purpose: an upstream port does not look whether it lies in its window. */
	bool redirected;
	ward_rid_t rid;
	ward_pasid_t pasid;
};

/* How the part of the way ended that lies before the IOMMU. */
enum emul_hop {
	EMUL_UP,      /* goes on upwards */
	EMUL_ARRIVED, /* in ret_result: registers */
	EMUL_REFUSED, /* in ret_result: blocked, nowhere */
	EMUL_ROOT,    /* to the IOMMU now, whatever bridges are above */
};

/* From the function to the root complex. Does not return EMUL_UP. */
enum emul_hop ward_emul_climb(const struct ward_emul *emul, struct emul_request *request,
			      struct ward_dma_result *ret_result);

/* What access control of a function or port says about a request to a peer. */
enum emul_peer {
	EMUL_PEER_DIRECT, /* to the peer */
	EMUL_PEER_UP,	  /* redirected, or no peer requests here */
	EMUL_PEER_BLOCKED,
};
/* Function at, of a device or root port, to function to on the same bus. */
enum emul_peer ward_emul_acs_function(const struct ward_emul *emul, uint32_t at, uint32_t to,
				      bool translated);
/* A switch's downstream port at to what lies behind port to. */
enum emul_peer ward_emul_acs_port(const struct ward_emul *emul, uint32_t at, uint32_t to,
				  bool translated);
/* Port at, from below, to registers of a downstream port, or of the upstream one above it. */
enum emul_peer ward_emul_acs_registers(const struct ward_emul *emul, uint32_t at, bool upstream);
/* Port at lets a request from below in: source validation, translation blocking. */
bool ward_emul_acs_admits(const struct ward_emul *emul, uint32_t at,
			  const struct emul_request *request);

/* Bits that act, of capability, control and what a table of known devices says. */
void ward_emul_acs_init(const struct ward_function *facts, struct emul_function *ret_function);

/* The bus below a bridge is a conventional one, where all hear. */
bool ward_emul_conventional(const struct ward_function *bridge);
/* The id that a bridge puts in the place of a request's; false: it leaves ids alone. */
bool ward_emul_takes_over(const struct ward_emul *emul, uint32_t bridge, ward_rid_t *ret_rid);
/* A bridge behind which ids are translated: nothing above it changes them or routes. */
bool ward_emul_translation_root(const struct ward_function *bridge);
/* Whether a function may send under that id. */
bool ward_emul_may_send(const struct ward_emul *emul, uint32_t function, ward_rid_t rid);

/* BAR of one function; downwards from it (its BARs, then below); from all root buses. */
bool ward_emul_in_bar(const struct ward_emul *emul, uint32_t function, uint64_t address,
		      struct ward_dma_result *ret_result);
bool ward_emul_in_window(const struct ward_emul *emul, uint32_t function, uint64_t address);
/* Below a bridge that has the address in its window: somebody, or nowhere. */
void ward_emul_descend(const struct ward_emul *emul, uint32_t bridge, uint64_t address,
		       struct ward_dma_result *ret_result);
/* Registers that answer at a physical address, seen from the root complex: or nowhere. */
void ward_emul_from_root(const struct ward_emul *emul, uint64_t address,
			 struct ward_dma_result *ret_result);
/* The controller whose doorbell lies at a physical address, or WARD_NONE. */
uint32_t ward_emul_doorbell(const struct ward_emul *emul, uint64_t address);
/* The controller that a write to x86's window rings, or WARD_NONE. */
uint32_t ward_emul_x86_controller(const struct ward_emul *emul, uint32_t function);

/* The registers of a function that has any. 0 or -ENOMEM. */
int ward_emul_vectors_create(struct ward_emul *emul, uint32_t function);
/* Four bytes, aligned, of a BAR, where they are of the table or the PBA; false: they are not. */
bool ward_emul_table_read(const struct ward_emul *emul, uint32_t function, uint32_t bar,
			  uint64_t offset, uint8_t ret_bytes[4]);
bool ward_emul_table_write(struct ward_emul *emul, uint32_t function, uint32_t bar, uint64_t offset,
			   const uint8_t bytes[4]);
/* Capabilities into config space, and the pointers to them. */
void ward_emul_show_capabilities(const struct ward_emul *emul, uint32_t function, uint8_t *config);

/* A write at the doorbell where result says: what its controller makes of it. */
void ward_emul_ring(const struct ward_emul *emul, const struct emul_request *request,
		    const struct ward_dma *dma, struct ward_dma_result *ret_result);

/* Bytes into and out of the registers of a function that lie at an address of one of its BARs. */
void ward_emul_bar_read(const struct ward_emul *emul, uint32_t function, uint64_t address,
			void *ret_bytes, size_t size);
void ward_emul_bar_write(struct ward_emul *emul, uint32_t function, uint64_t address,
			 const void *bytes, size_t size);

/* Registers as after power-on, whatever the temper. */
void ward_emul_power_on(struct ward_emul *emul, uint32_t function);
/* Whether its registers take no writes and read all ones: it is frozen, or not there. */
bool ward_emul_silent(const struct ward_emul *emul, uint32_t function);

/* Error isolation of a DMA: a fault that freezes; a request that is dropped. */
void ward_emul_note_fault(struct ward_emul *emul, uint32_t function,
			  const struct ward_fault *fault);
void ward_emul_note_dropped(struct ward_emul *emul, uint32_t function, bool message);

#endif
