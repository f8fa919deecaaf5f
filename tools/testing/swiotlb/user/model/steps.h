/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A sequence: a machine, its devices, and what is done to the software IO TLB. Every
 * string of bytes is a sequence. So random numbers, input of a fuzzer, and files of
 * earlier failures run in the same way.
 */
#ifndef _STEPS_H
#define _STEPS_H

#include "model.h"

#define NR_DEVICES	4
#define HEADER_STEPS	(1 + NR_DEVICES)
#define MAX_STEPS	1024

/**
 * struct step - eight bytes
 * @op:		What is done; in the header, see machine_of() and device_of().
 * @who:	Device, direction and the like.
 * @place:	Where.
 * @size:	How much.
 */
struct step {
	u8 op;
	u8 who;
	u16 place;
	u32 size;
} __packed;

/**
 * enum op - what can be done
 * @OP_MAP:		swiotlb_map()
 * @OP_MAP_IOMMU:	swiotlb_tbl_map_single(), aligned
 * @OP_UNMAP:		swiotlb_tbl_unmap_single()
 * @OP_SYNC_CPU:	All or a part of a mapping, for the CPU
 * @OP_SYNC_DEVICE:	and for the device
 * @OP_DEVICE_READ:	The device reads.
 * @OP_DEVICE_WRITE:	The device writes, all or less.
 * @OP_CPU_WRITE:	The CPU writes to original buffers, mapped or not.
 * @OP_CPU:		Change the CPU.
 * @OP_GROW:		The worker runs.
 * @OP_SHRINK:		Pools that are idle are freed.
 * @OP_GRACE:		An RCU grace period ends.
 * @OP_FAIL:		The n-th allocation of some kind from now fails.
 * @OP_UNMAP_FREE:	Unmap where nothing is mapped.
 * @OP_SYNC_FREE:	Sync where nothing is mapped.
 * @OP_FOREIGN:		A page becomes another domain's, with the pfn of a page of ours.
 * @OP_HIWATER:		Reset the high-water mark.
 * @OP_ALLOC:		swiotlb_alloc(); swiotlb_free() is an unmap.
 * @OP_LARGEST:		Map as much as swiotlb_max_mapping_size() says.
 * @OP_HOSTILE:		Unmap from inside a mapping, or sync impossible sizes there, perhaps
 *			through another device.
 */
enum op {
	OP_MAP,
	OP_MAP_IOMMU,
	OP_UNMAP,
	OP_SYNC_CPU,
	OP_SYNC_DEVICE,
	OP_DEVICE_READ,
	OP_DEVICE_WRITE,
	OP_CPU_WRITE,
	OP_CPU,
	OP_GROW,
	OP_GRACE,
	OP_FAIL,
	OP_UNMAP_FREE,
	OP_SYNC_FREE,
	OP_FOREIGN,
	OP_HIWATER,
	OP_ALLOC,
	OP_LARGEST,
	OP_SHRINK,
	OP_HOSTILE,
	NR_OPS,
};

/**
 * struct machine_choice - the first step
 * @config:	For the machine.
 * @param:	Memory for its parameter.
 * @restricted_size: Bytes of the restricted pool that the last device has, or 0.
 * @fail:	What fails during boot,
 * @fail_nth:	when; 0 for never.
 */
struct machine_choice {
	struct machine_config config;
	char param[32];
	size_t restricted_size;
	enum machine_failure fail;
	unsigned int fail_nth;
};

/**
 * struct device_choice - one of the next steps
 * @mask_bits:	Width of the device's addresses.
 * @min_align_mask: As in &struct device.
 * @boundary:	As in &struct device.
 * @bus_dma_limit: As in &struct device.
 * @range_map:	As in &struct device; empty for none.
 */
struct device_choice {
	unsigned int mask_bits;
	unsigned int min_align_mask;
	unsigned long boundary;
	u64 bus_dma_limit;
	struct bus_dma_region range_map[3];
};

extern const char *const failure_names[NR_FAILURES];

void machine_of(const struct step *step, struct machine_choice *choice);
void device_of(const struct step *step, struct device_choice *choice);
enum op op_of(const struct step *step);
u8 op_code(enum op op);
size_t size_of(const struct step *step);
size_t place_of(const struct step *step);
unsigned int align_mask_of(const struct step *step);
enum dma_data_direction dir_of(const struct step *step);
unsigned long attrs_of(const struct step *step);
bool part_of(const struct step *step, size_t whole, size_t *offset, size_t *size);
void describe(const struct step *steps, unsigned int i, char *text, size_t size);

/* world.c, run.c */
void run_sequence(const struct step *steps, unsigned int nr, unsigned int *progress, bool print);

/* shrink.c */
unsigned int shrink(struct step *steps, unsigned int nr,
		    bool (*fails)(const struct step *steps, unsigned int nr));

#endif
