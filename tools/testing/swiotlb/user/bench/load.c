// SPDX-License-Identifier: GPL-2.0
/*
 * Mappings that several cases make before or during a measurement.
 */
#include <linux/swiotlb.h>

#include "load.h"
#include "machine.h"

const struct side *const sides[2] = { &bench_stock, &bench_ours };

unsigned long metadata_bytes[2];

void boot_sides(unsigned int mib, unsigned int areas)
{
	unsigned long bytes = (unsigned long)mib << 20, before;
	unsigned int i;

	machine_boot();
	for (i = 0; i < ARRAY_SIZE(sides); i++) {
		before = machine_allocated();
		sides[i]->setup(mib, areas);
		if (sides[i]->slots() << IO_TLB_SHIFT != bytes)
			machine_die("%s has no pool of %u MiB", sides[i]->name, mib);
		metadata_bytes[i] = machine_allocated() - before - bytes;
	}
}

/* After boot_sides(): the devices of both sides use restricted pools from now on. */
void reserve_pools(unsigned int mib)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sides); i++)
		if (!sides[i]->reserve(mib) ||
		    sides[i]->slots() << IO_TLB_SHIFT != (unsigned long)mib << 20)
			machine_die("%s has no restricted pool of %u MiB", sides[i]->name, mib);
}

/* Add @nr pools of the size of the first. */
void add_pools(const struct side *side, unsigned int nr)
{
	unsigned long slots = side->slots() * (nr + 1);

	while (nr--)
		side->add_pool();
	if (side->slots() != slots)
		machine_die("%s has %lu slots in place of %lu", side->name, side->slots(), slots);
}

/* A buffer to be mapped, with random contents */
phys_addr_t source_alloc(size_t size)
{
	u8 *buffer = machine_alloc(size);
	u64 random = size;
	size_t i;

	for (i = 0; i < size; i++)
		buffer[i] = next_random(&random);
	return virt_to_phys(buffer);
}

/* xorshift64* */
u64 next_random(u64 *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return (*state * 0x2545f4914f6cdd1d) >> 16;
}

static void check_same(const struct side *side, const void *a, const void *b, size_t size)
{
	if (memcmp(a, b, size))
		machine_die("%s has not copied what it should have", side->name);
}

/* Check that mappings copy the right bytes, unless the copy is left out. */
void check_copies(const struct side *side)
{
	size_t size = 5000;
	phys_addr_t source = source_alloc(size), other = source_alloc(2 * size);
	dma_addr_t dma;

	side->copy(phys_to_virt(other), phys_to_virt(source), size);
	if (memcmp(phys_to_virt(other), phys_to_virt(source), size))
		return;

	dma = side->map(source, size, FROM_DEVICE);
	check_same(side, phys_to_virt(dma), phys_to_virt(source), size);
	memset(phys_to_virt(dma), 0x5a, size);
	side->unmap(dma, size, FROM_DEVICE);
	memset(phys_to_virt(other), 0x5a, size);
	check_same(side, phys_to_virt(source), phys_to_virt(other), size);
}

/*
 * The base kernel looks for slots behind those that it found last. Map each set of the
 * pool once, so that its search starts where it does after a while of use.
 */
void walk_pool(const struct side *side, phys_addr_t source)
{
	unsigned long set;
	dma_addr_t dma;

	for (set = 0; set < side->slots() / IO_TLB_SEGSIZE; set++) {
		dma = side->map(source, IO_TLB_SEGSIZE * IO_TLB_SIZE, TO_DEVICE);
		side->unmap(dma, IO_TLB_SEGSIZE * IO_TLB_SIZE, TO_DEVICE);
	}
}

void load_init(struct load *load, const struct side *side, phys_addr_t source)
{
	load->side = side;
	load->source = source;
	load->nr = 0;
	load->room = side->slots();
	load->dma = machine_alloc(load->room * sizeof(*load->dma));
	load->size = machine_alloc(load->room * sizeof(*load->size));
}

/* Make one more mapping. Returns whether there was room for it. */
bool load_add(struct load *load, size_t size)
{
	dma_addr_t dma = load->side->map(load->source, size, TO_DEVICE);

	if (dma == MAP_FAILED_DMA)
		return false;
	if (load->nr == load->room)
		machine_die("%s has mapped more than there is", load->side->name);
	load->dma[load->nr] = dma;
	load->size[load->nr++] = size;
	return true;
}

/* Unmap mapping @i. The last one takes its place in the arrays. */
void load_remove(struct load *load, unsigned int i)
{
	load->side->unmap(load->dma[i], load->size[i], TO_DEVICE);
	load->nr--;
	load->dma[i] = load->dma[load->nr];
	load->size[i] = load->size[load->nr];
}

void load_clear(struct load *load)
{
	while (load->nr)
		load_remove(load, load->nr - 1);
}

/* Map @size bytes until there is no room for another mapping. */
void load_fill(struct load *load, size_t size)
{
	while (load_add(load, size))
		;
}

/* Use every other slot. */
void load_fragment(struct load *load)
{
	unsigned int i;

	load_fill(load, IO_TLB_SIZE);
	for (i = load->nr; i--; )
		if (load->dma[i] & IO_TLB_SIZE)
			load_remove(load, i);
	if (load->side->used() != load->side->slots() / 2)
		machine_die("%s is not fragmented", load->side->name);
}

static size_t random_size(u64 *random)
{
	static const u32 sizes[] = { 64, 512, 1500, 2048, 4096, 4096, 4096, 8192, 16384, 65536 };

	return sizes[next_random(random) % ARRAY_SIZE(sizes)];
}

/*
 * Mappings of many sizes, made and undone in random order until @percent of the slots
 * are in use, and for a while longer. A pool may be too fragmented to get there:
 * side->used() tells.
 */
void load_occupy(struct load *load, unsigned int percent, u64 seed)
{
	unsigned long wanted = load->side->slots() * percent / 100;
	unsigned int step;

	for (step = 0; percent && step < load->room; step++) {
		if (load->side->used() < wanted)
			load_add(load, random_size(&seed));
		else
			load_remove(load, next_random(&seed) % load->nr);
	}
}
