// SPDX-License-Identifier: GPL-2.0
/*
 * A mapping whose contents are known at any time, from the driver's and from the
 * device's side. Only the thread that holds it may use it. It is handed over as a whole.
 */
#include "threads.h"

/* The bytes before and behind an original buffer, which must not change */
static const u8 guard[GUARD] = "nobody has any business here, before or behind";

static unsigned long held, held_most;

/* Count the slots of mappings. A slot that is counted is in use for all of that time. */
static void hold(const struct mapping *mapping)
{
	unsigned long now = __atomic_add_fetch(&held, nr_slots(mapping->size), __ATOMIC_RELAXED);
	unsigned long most = READ_ONCE(held_most);

	while (now > most &&
	       !__atomic_compare_exchange_n(&held_most, &most, now, false,
					    __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		;
}

static void let_go(const struct mapping *mapping)
{
	__atomic_fetch_sub(&held, nr_slots(mapping->size), __ATOMIC_RELAXED);
}

unsigned long mappings_held(void)
{
	return READ_ONCE(held);
}

unsigned long mappings_held_most(void)
{
	return READ_ONCE(held_most);
}

void mappings_forget(void)
{
	held = 0;
	held_most = 0;
}

static void fill(u8 *at, size_t size, u64 *random)
{
	u64 word;

	for (; size >= sizeof(word); size -= sizeof(word), at += sizeof(word)) {
		word = machine_random(random);
		memcpy(at, &word, sizeof(word));
	}
	word = machine_random(random);
	memcpy(at, &word, size);
}

static void check_equal(const struct mapping *mapping, size_t offset, const u8 *seen,
			size_t size, const char *where)
{
	const u8 *content = mapping->content + offset;
	size_t i;

	if (!memcmp(seen, content, size))
		return;
	for (i = 0; seen[i] == content[i]; i++)
		;
	machine_fail("byte %zu of %zu is %02x %s, expected %02x", offset + i, mapping->size,
		     seen[i], where, content[i]);
}

static void check_original(const struct mapping *mapping, size_t offset, size_t size)
{
	const u8 *memory = machine_memory(mapping->orig);

	check_equal(mapping, offset, memory + offset, size, "in memory");
	if (memcmp(memory - GUARD, guard, GUARD) ||
	    memcmp(memory + mapping->size, guard, GUARD))
		machine_fail("memory beside a mapping was written");
}

static void check_device(const struct mapping *mapping, size_t offset, size_t size)
{
	u8 seen[MAX_SIZE];

	if (!machine_dma(mapping->dev, mapping->dma + offset, seen, size, false))
		machine_fail("the device cannot read what is mapped");
	check_equal(mapping, offset, seen, size, "for the device");
}

static void device_writes(struct mapping *mapping, size_t offset, size_t size, u64 *random)
{
	fill(mapping->content + offset, size, random);
	if (!machine_dma(mapping->dev, mapping->dma + offset, mapping->content + offset, size,
			 true))
		machine_fail("the device cannot write what is mapped");
}

static phys_addr_t bounced_at(const struct mapping *mapping)
{
	return dma_to_phys(mapping->dev, mapping->dma);
}

/* Memory for the largest mapping at any offset in a page, and for the bytes around it */
void mapping_init(struct mapping *mapping)
{
	mapping->pages = machine_alloc(2 * PAGE_SIZE + MAX_SIZE, 0);
	EXPECT(mapping->pages != DMA_PHYS_NONE);
}

bool mapping_open(struct mapping *mapping, struct device *dev, size_t size, u64 *random)
{
	struct io_tlb_pool *pool;
	u8 *memory;

	mapping->dev = dev;
	mapping->size = size;
	mapping->orig = mapping->pages + GUARD + machine_random(random) % PAGE_SIZE;
	fill(mapping->content, size, random);
	memory = machine_memory(mapping->orig);
	memcpy(memory, mapping->content, size);
	memcpy(memory - GUARD, guard, GUARD);
	memcpy(memory + size, guard, GUARD);

	mapping->dma = DMA_MAPPING_ERROR;
	if (is_swiotlb_active(dev))
		mapping->dma = swiotlb_map(dev, mapping->orig, size, DMA_BIDIRECTIONAL,
					   DMA_ATTR_NO_WARN);
	if (mapping->dma == DMA_MAPPING_ERROR) {
		COUNT(failures);
		return false;
	}
	hold(mapping);
	COUNT(maps);
	contract_check(dev, mapping->orig, size, 0, mapping->dma);
	check_device(mapping, 0, size);
	EXPECT(!swiotlb_find_pool(dev, mapping->orig));
	pool = swiotlb_find_pool(dev, bounced_at(mapping));
	EXPECT(pool);
	if (pool->transient)
		COUNT(transients);
	return true;
}

/* The device writes a part and the CPU sees it, then the other way round. */
void mapping_sync(struct mapping *mapping, u64 *random)
{
	size_t offset = machine_random(random) % mapping->size;
	size_t size = 1 + machine_random(random) % (mapping->size - offset);

	device_writes(mapping, offset, size, random);
	swiotlb_sync_single_for_cpu(mapping->dev, bounced_at(mapping) + offset, size,
				    DMA_BIDIRECTIONAL);
	check_original(mapping, offset, size);

	fill(mapping->content + offset, size, random);
	memcpy(machine_memory(mapping->orig) + offset, mapping->content + offset, size);
	swiotlb_sync_single_for_device(mapping->dev, bounced_at(mapping) + offset, size,
				       DMA_BIDIRECTIONAL);
	check_device(mapping, offset, size);
	COUNT(syncs);
}

/* Sync one byte: this is little more than the search for the start of the mapping. */
void mapping_sync_byte(struct mapping *mapping, u64 *random)
{
	size_t offset = machine_random(random) % mapping->size;
	u8 *byte = machine_memory(mapping->orig) + offset;
	u8 seen;

	mapping->content[offset] = *byte = ~*byte;
	swiotlb_sync_single_for_device(mapping->dev, bounced_at(mapping) + offset, 1,
				       DMA_BIDIRECTIONAL);
	if (!machine_dma(mapping->dev, mapping->dma + offset, &seen, 1, false) || seen != *byte)
		machine_fail("byte %zu of %zu did not reach the device", offset, mapping->size);
}

void mapping_close(struct mapping *mapping, u64 *random)
{
	check_device(mapping, 0, mapping->size);
	device_writes(mapping, 0, mapping->size, random);
	let_go(mapping);
	swiotlb_tbl_unmap_single(mapping->dev, bounced_at(mapping), mapping->size,
				 DMA_BIDIRECTIONAL, 0);
	check_original(mapping, 0, mapping->size);
}
