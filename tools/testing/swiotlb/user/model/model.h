/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A reference model of the software IO TLB: slow and simple. It is told what is done to
 * the real one, and checks the results:
 *
 *	model.c		which mapping has which slots, and where a mapping must be
 *	image.c		expected contents of bounce memory and of original buffers
 *	steps.c		an operation in eight bytes
 *	world.c		the machine that a sequence of steps is run on
 *	run.c		does each operation to both, and compares them
 *	main.c		random sequences; shrink.c shortens one that fails
 *	fuzz_*.c	entries for coverage-guided fuzzers
 *
 * The model does not predict the place of a mapping of more than a slot set. Any place
 * that suits is right, and if there is one, the mapping must not fail.
 *
 * The model knows Documentation/core-api/swiotlb.rst and the comments of functions
 * and structures, not the code. It keeps an array with one element a slot, and finds
 * the place of a mapping by trying each. From the core it takes only where the slot
 * sets and areas of a pool are, once for each pool.
 */
#ifndef _MODEL_H
#define _MODEL_H

#include "machine.h"
#include "swiotlb_internal.h"

#define MODEL_POOLS	40
#define MODEL_SLOTS	4096
#define MODEL_SETS	(MODEL_SLOTS / IO_TLB_SEGSIZE)

/**
 * struct model_pool - a pool that is not transient
 * @pool:	The real one, %NULL if it has been freed.
 * @start:	Its physical address.
 * @nslots:	Number of slots.
 * @nareas:	Number of areas.
 * @area_begin:	First slot of each area, and the end of the last one.
 * @maddr:	Machine address of each slot set.
 * @used:	For each slot, whether a mapping has it.
 * @idle:	How often in a row it was seen with nothing in use.
 * @seen_used:	It was seen with something in use.
 */
struct model_pool {
	struct io_tlb_pool *pool;
	phys_addr_t start;
	unsigned int nslots;
	unsigned int nareas;
	unsigned int area_begin[MODEL_SETS + 1];
	phys_addr_t maddr[MODEL_SETS];
	bool used[MODEL_SLOTS];
	unsigned int idle;
	bool seen_used;
};

/**
 * struct model_mem - a software IO TLB
 * @mem:	The real one.
 * @dir:	Its directory in debugfs.
 * @nr_pools:	Number of pools.
 * @pools:	The pools, in the order in which they appeared.
 * @used:	Slots in use, those of transient pools included.
 * @transient:	Slots in transient pools.
 * @peak:	Largest value of @used since the high-water mark was reset.
 * @most:	The most slots that there ever were.
 */
struct model_mem {
	struct io_tlb_mem *mem;
	const char *dir;
	unsigned int nr_pools;
	struct model_pool pools[MODEL_POOLS];
	unsigned long used;
	unsigned long transient;
	unsigned long peak;
	unsigned long most;
};

/**
 * struct want - a request, and what follows from it
 * @dev:	Device.
 * @orig:	Physical address of the original buffer, 0 for coherent memory.
 * @size:	Bytes.
 * @align_mask:	What the allocation is aligned to, less one.
 * @limit:	Highest DMA address.
 * @translated: An IOMMU is between the device and the bus.
 * @offset:	Distance from the allocation to the mapping.
 * @nslots:	Slots; 0 if @size is 0 or too large for any pool.
 */
struct want {
	struct device *dev;
	phys_addr_t orig;
	size_t size;
	unsigned int align_mask;
	u64 limit;
	bool translated;
	size_t offset;
	unsigned int nslots;
};

/**
 * struct mapping - what has been mapped
 * @want:	The request.
 * @mem:	Software IO TLB that it is in.
 * @pool:	Its pool, %NULL if that is transient.
 * @transient:	The transient pool.
 * @slot:	First slot.
 * @tlb:	Physical address of the bounce buffer.
 * @dma:	DMA address.
 * @dir:	Direction.
 * @coherent:	Coherent memory: there is no original.
 * @iommu:	The device reaches it through an IOMMU.
 */
struct mapping {
	struct want want;
	struct model_mem *mem;
	struct model_pool *pool;
	struct io_tlb_pool *transient;
	unsigned int slot;
	phys_addr_t tlb;
	dma_addr_t dma;
	enum dma_data_direction dir;
	bool coherent;
	bool iommu;
};

/* model.c */
void model_reset(void);
void model_add_mem(struct model_mem *mm, struct io_tlb_mem *mem, const char *dir);
void model_find_new_pools(struct model_mem *mm);
bool model_may_shrink(struct model_mem *mm);
void model_shrink(struct model_mem *mm, bool may_stay);
size_t model_told(struct model_mem *mm, struct device *dev);
void want_init(struct want *want, struct device *dev, phys_addr_t orig, size_t size,
	       unsigned int alloc_align_mask, u64 limit);
bool model_could_fit(const struct want *want);
bool model_own_area_fits(struct model_mem *mm, const struct want *want, unsigned int cpu);
bool model_fits(struct model_mem *mm, const struct want *want);
void model_map(struct model_mem *mm, struct mapping *map, unsigned int cpu);
void model_unmap(struct mapping *map);
phys_addr_t model_free_address(struct model_mem *mm, unsigned int choice);
void model_check_counters(struct model_mem *mm);
void model_check_slots(struct model_pool *mp, unsigned int slot, unsigned int nr);
dma_addr_t model_machine_to_dma(struct device *dev, phys_addr_t maddr);

/* image.c */
void image_reset(void);
void image_take(phys_addr_t phys, size_t size);
void image_take_cleared(phys_addr_t phys, size_t size);
void image_copy(phys_addr_t to, phys_addr_t from, size_t size);
void image_write(phys_addr_t phys, const void *data, size_t size);
void image_check(phys_addr_t phys, size_t size);
void image_check_data(phys_addr_t phys, const void *data, size_t size, const char *who);

#endif
