// SPDX-License-Identifier: GPL-2.0
/*
 * What a map and an unmap cost.
 */
#include <linux/swiotlb.h>

#include "cases.h"
#include "contest.h"
#include "load.h"
#include "machine.h"

/* Mappings of one side. A turn unmaps the oldest and makes a new one. */
struct ring {
	const struct side *side;
	unsigned int nr;
	unsigned int at;
	size_t size;
	int dir;
	unsigned int alloc_mask;
	phys_addr_t *source;
	dma_addr_t *dma;
};

static void check_room(const struct ring *ring, dma_addr_t dma)
{
	if (unlikely(dma == MAP_FAILED_DMA))
		machine_die("%s has no room", ring->side->name);
}

static void ring_turn(void *with, unsigned long n)
{
	struct ring *ring = with;
	unsigned int at = ring->at;

	while (n--) {
		ring->side->unmap(ring->dma[at], ring->size, ring->dir);
		ring->dma[at] = ring->side->map(ring->source[at], ring->size, ring->dir);
		check_room(ring, ring->dma[at]);
		at = at + 1 < ring->nr ? at + 1 : 0;
	}
	ring->at = at;
}

/* The same as an IOMMU driver does it */
static void ring_turn_aligned(void *with, unsigned long n)
{
	struct ring *ring = with;
	unsigned int at = ring->at;

	while (n--) {
		ring->side->unmap_aligned(ring->dma[at], ring->size);
		ring->dma[at] = ring->side->map_aligned(ring->source[at], ring->size,
							ring->alloc_mask);
		check_room(ring, ring->dma[at]);
		at = at + 1 < ring->nr ? at + 1 : 0;
	}
	ring->at = at;
}

static void ring_fill(struct ring *ring)
{
	const struct side *side = ring->side;
	unsigned int i;

	ring->dma = machine_alloc(ring->nr * sizeof(*ring->dma));
	for (i = 0; i < ring->nr; i++) {
		if (ring->alloc_mask)
			ring->dma[i] = side->map_aligned(ring->source[i], ring->size,
							 ring->alloc_mask);
		else
			ring->dma[i] = side->map(ring->source[i], ring->size, ring->dir);
		check_room(ring, ring->dma[i]);
	}
}

/* A plain copy of that size between warm buffers */
struct copy {
	const struct side *side;
	void *to;
	void *from;
	size_t size;
};

static void copy_turn(void *with, unsigned long n)
{
	struct copy *copy = with;

	while (n--)
		copy->side->copy(copy->to, copy->from, copy->size);
}

/*
 * bench pairs size= dir= of= align= alloc= mib= turns=
 *
 * @of mappings at a time, each of a buffer of its own, for a device with @align as
 * min_align_mask. To keep address bits costs something only if they are set. If @alloc
 * is not 0, it is the alignment mask of swiotlb_tbl_map_single().
 */
void time_pairs(void)
{
	unsigned int of = option("of"), size = option("size"), align = option("align"), i;
	struct ring rings[ARRAY_SIZE(sides)];
	struct contestant contestants[3];
	phys_addr_t *source;
	struct copy copy;

	run_on(0);
	boot_sides(option("mib"), 1);
	source = machine_alloc(of * sizeof(*source));
	for (i = 0; i < of; i++)
		source[i] = source_alloc(size + 512) + (align ? 512 : 0);

	for (i = 0; i < ARRAY_SIZE(sides); i++) {
		sides[i]->device(align);
		check_copies(sides[i]);
		walk_pool(sides[i], source_alloc(IO_TLB_SEGSIZE * IO_TLB_SIZE));
		rings[i] = (struct ring){ sides[i], of, 0, size, option("dir"), option("alloc"),
					  source };
		ring_fill(&rings[i]);
		contestants[i] = (struct contestant){
			sides[i]->name, rings[i].alloc_mask ? ring_turn_aligned : ring_turn,
			NULL, &rings[i], 0, 1,
		};
	}
	copy = (struct copy){ sides[0], machine_alloc(size), phys_to_virt(source[0]), size };
	contestants[i] = (struct contestant){ "memcpy", copy_turn, NULL, &copy, 0, 1 };
	contest("pair", contestants, ARRAY_SIZE(contestants), option("turns"));
}
