// SPDX-License-Identifier: GPL-2.0
/*
 * Tests whose threads are not all alike.
 */
#include <sched.h>
#include <unistd.h>

#include "threads.h"

static u64 mask = DMA_BIT_MASK(32);

static u64 read_counter(const char *name)
{
	u64 value;

	EXPECT(machine_read_counter("swiotlb", name, &value));
	return value;
}

/* --- beside a load: a thread with one mapping --- */

static void hold_one(size_t size, void (*work)(struct mapping *mapping, u64 *random))
{
	static struct mapping mapping;
	u64 random = 1;

	mapping_init(&mapping);
	while (!mapping_open(&mapping, &devices[0], size, &random) && !round_over())
		sched_yield();
	while (!round_over())
		work(&mapping, &random);
	if (mapping.dma != DMA_MAPPING_ERROR)
		mapping_close(&mapping, &random);
	machine_free(mapping.pages, 2 * PAGE_SIZE + MAX_SIZE);
}

/* The slots of the mapping are in use all the time. */
static void check_counters(struct mapping *mapping, u64 *random)
{
	u64 slots = nr_slots(mapping->size);

	EXPECT(!machine_write_counter("swiotlb", "io_tlb_used_hiwater", 0));
	EXPECT(read_counter("io_tlb_used_hiwater") >= slots);
	EXPECT(read_counter("io_tlb_used") >= slots);
	EXPECT(read_counter("io_tlb_nslabs") >= slots);
	usleep(10);
}

void beside_hiwater(void)
{
	hold_one(MAX_SIZE, check_counters);
}

void beside_sync(void)
{
	hold_one(3 * IO_TLB_SIZE, mapping_sync_byte);
}

/* --- first use --- */

#define FIRST_DEVICES	48
#define PAIRS		2
#define KEPT		24		/* mappings that fill the pool */

static struct device first_devices[FIRST_DEVICES];

static struct pair {
	pthread_t maker, taker;
	unsigned int cpu;
	struct mapping mappings[FIRST_DEVICES];
	struct mapping *given;
} pairs[PAIRS];

/* Hand over a mapping, as a driver does by an interrupt, a queue or a lock. */
static void give(struct pair *pair, struct mapping *mapping)
{
	while (READ_ONCE(pair->given))
		sched_yield();
	/* Pairs with the acquire in take(). */
	smp_store_release(&pair->given, mapping);
}

static struct mapping *take(struct pair *pair)
{
	struct mapping *mapping;

	while (!READ_ONCE(pair->given))
		sched_yield();
	/* Pairs with the release in give(). */
	mapping = smp_load_acquire(&pair->given);
	WRITE_ONCE(pair->given, NULL);
	COUNT(handed_over);
	return mapping;
}

static void *make_first(void *arg)
{
	struct pair *pair = arg;
	u64 random = pair->cpu;
	unsigned int i;

	machine_set_cpu(pair->cpu);
	machine_thread_start();
	for (i = 0; i < FIRST_DEVICES; i++) {
		while (!mapping_open(&pair->mappings[i], &first_devices[i],
				     1 + machine_random(&random) % MAX_SIZE, &random))
			sched_yield();
		give(pair, &pair->mappings[i]);
	}
	machine_thread_stop();
	return NULL;
}

static void check_first(struct mapping *mapping, u64 *random)
{
	phys_addr_t at = dma_to_phys(mapping->dev, mapping->dma);

	EXPECT(swiotlb_used_by(mapping->dev));
	EXPECT(swiotlb_find_pool(mapping->dev, at));
	EXPECT(!READ_ONCE(mapping->dev->dma_skip_sync));
	mapping_sync(mapping, random);
}

static void *take_first(void *arg)
{
	struct pair *pair = arg;
	struct mapping *kept[KEPT];
	u64 random = ~pair->cpu;
	unsigned int i;

	machine_set_cpu(PAIRS + pair->cpu);
	machine_thread_start();
	for (i = 0; i < FIRST_DEVICES; i++) {
		if (i >= KEPT)
			mapping_close(kept[i % KEPT], &random);
		kept[i % KEPT] = take(pair);
		check_first(kept[i % KEPT], &random);
	}
	for (i = 0; i < KEPT; i++)
		mapping_close(kept[i], &random);
	machine_thread_stop();
	return NULL;
}

void special_first_use(const struct scenario *scenario, u64 seed)
{
	unsigned int i, p;

	round_boot(scenario, seed);
	for (i = 0; i < FIRST_DEVICES; i++) {
		machine_device_init(&first_devices[i], &mask);
		first_devices[i].dma_skip_sync = true;
		for (p = 0; p < PAIRS; p++)
			mapping_init(&pairs[p].mappings[i]);
	}
	round_start_services(scenario);
	for (p = 0; p < PAIRS; p++) {
		pairs[p].cpu = p;
		round_start(&pairs[p].maker, make_first, &pairs[p]);
		round_start(&pairs[p].taker, take_first, &pairs[p]);
	}
	for (p = 0; p < PAIRS; p++) {
		round_join(pairs[p].maker);
		round_join(pairs[p].taker);
	}
	round_end_services();
	for (p = 0; p < PAIRS; p++)
		for (i = 0; i < FIRST_DEVICES; i++)
			machine_free(pairs[p].mappings[i].pages, 2 * PAGE_SIZE + MAX_SIZE);
	round_check(scenario);
}

/* --- late initialisation --- */

static void *wait_for_pool(void *arg)
{
	struct mapping *mapping = arg;
	u64 random = mapping->pages;
	unsigned int i;

	machine_thread_start();
	while (!mapping_open(mapping, &devices[0], MAX_SIZE, &random))
		sched_yield();
	for (i = 0; i < 20; i++)
		mapping_sync(mapping, &random);
	mapping_close(mapping, &random);
	machine_thread_stop();
	return NULL;
}

void special_late_init(const struct scenario *scenario, u64 seed)
{
	struct machine_config config = { .cpus = scenario->cpus, .no_pool = true, .seed = seed };
	static struct mapping mappings[4];
	pthread_t threads[ARRAY_SIZE(mappings)];
	unsigned long pages;
	unsigned int i;

	machine_boot(&config);
	machine_device_init(&devices[0], &mask);
	pages = machine_pages_in_use();
	for (i = 0; i < ARRAY_SIZE(mappings); i++) {
		mapping_init(&mappings[i]);
		round_start(&threads[i], wait_for_pool, &mappings[i]);
	}
	usleep(machine_random(&seed) % 1000);
	EXPECT(!swiotlb_init_late(SZ_1M, GFP_KERNEL | GFP_DMA32, NULL));
	for (i = 0; i < ARRAY_SIZE(mappings); i++) {
		round_join(threads[i]);
		machine_free(mappings[i].pages, 2 * PAGE_SIZE + MAX_SIZE);
	}
	machine_shut_down();
	contract_check_all_free(&io_tlb_default_mem);
	swiotlb_exit();
	EXPECT(machine_pages_in_use() == pages && !machine_objects_in_use());
	COUNT(rounds);
}

/* --- a restricted pool --- */

static struct device restricted_device;

static void use_pages(size_t size, u64 *random)
{
	struct page *page = swiotlb_alloc(&restricted_device, size, machine_alloc_attrs());
	u8 *memory, byte = machine_random(random);
	size_t i;

	if (!page) {
		COUNT(failures);
		return;
	}
	EXPECT(IS_ALIGNED(page_to_phys(page), PAGE_SIZE << get_order(size)));
	memory = machine_memory(page_to_phys(page));
	memset(memory, byte, size);
	sched_yield();
	for (i = 0; i < size; i++)
		EXPECT(memory[i] == byte);
	EXPECT(swiotlb_free(&restricted_device, page, size));
}

static void *use_restricted(void *arg)
{
	struct mapping *mapping = arg;
	u64 random = mapping->pages;
	unsigned int i;

	machine_thread_start();
	for (i = 0; i < 100; i++) {
		use_pages(PAGE_SIZE << (machine_random(&random) % 3), &random);
		if (!mapping_open(mapping, &restricted_device, 8192, &random))
			continue;
		mapping_sync(mapping, &random);
		mapping_close(mapping, &random);
	}
	machine_thread_stop();
	return NULL;
}

static void free_restricted(struct io_tlb_mem *mem)
{
	contract_check_all_free(mem);
	kfree(rcu_dereference_protected(mem->pools, 1));
	kvfree(mem->defpool);
	kfree(mem);
}

void special_restricted(const struct scenario *scenario, u64 seed)
{
	struct reserved_mem rmem = { .name = "restricted", .size = 30 << IO_TLB_SHIFT };
	static struct mapping mappings[4];
	pthread_t threads[ARRAY_SIZE(mappings)];
	unsigned int i;

	round_boot(scenario, seed);
	rmem.base = machine_alloc(rmem.size, __GFP_DMA32);
	EXPECT(!machine_setup_reserved(&rmem, "restricted-dma-pool", NULL));
	machine_device_init(&restricted_device, &mask);
	EXPECT(!rmem.ops->device_init(&rmem, &restricted_device));
	for (i = 0; i < ARRAY_SIZE(mappings); i++) {
		mapping_init(&mappings[i]);
		round_start(&threads[i], use_restricted, &mappings[i]);
	}
	for (i = 0; i < ARRAY_SIZE(mappings); i++) {
		round_join(threads[i]);
		machine_free(mappings[i].pages, 2 * PAGE_SIZE + MAX_SIZE);
	}
	free_restricted(restricted_device.dma_io_tlb_mem);
	rmem.ops->device_release(&rmem, &restricted_device);
	machine_free(rmem.base, rmem.size);
	mappings_forget();
	round_check(scenario);
}
