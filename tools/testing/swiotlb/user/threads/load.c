// SPDX-License-Identifier: GPL-2.0
/*
 * Rounds. In each a machine is booted, and threads map, sync, hand over and unmap.
 * When all threads have ended, nothing may be lost.
 */
#include <sched.h>
#include <unistd.h>

#include "threads.h"

struct tally tally;
struct device devices[NR_DEVICES];

static const struct scenario *scenario;
static u64 masks[NR_DEVICES];
static pthread_barrier_t start_line;
static bool over;
static pthread_t services[3];
static unsigned int nr_services;
static unsigned long boot_pages;

/* Mappings that are on their way from one thread to another */
static struct mapping *boxes[NR_BOXES];

/**
 * struct load - a thread that maps and unmaps
 * @thread:	Thread.
 * @cpu:	CPU that it runs as.
 * @random:	State of the random numbers that decide what it does.
 * @open:	Mappings that are mapped; @nr_open of them.
 * @closed:	Mappings that are not; @nr_closed of them.
 */
struct load {
	pthread_t thread;
	unsigned int cpu;
	u64 random;
	struct mapping *open[MAX_LOADS * MAX_MAPPINGS];
	struct mapping *closed[MAX_LOADS * MAX_MAPPINGS];
	unsigned int nr_open;
	unsigned int nr_closed;
};

static struct load loads[MAX_LOADS];
static struct mapping mappings[MAX_LOADS * MAX_MAPPINGS];

/* --- steps of a load --- */

static void check_area(const struct load *load, const struct mapping *mapping)
{
	phys_addr_t at = dma_to_phys(mapping->dev, mapping->dma);
	struct io_tlb_pool *pool = swiotlb_find_pool(mapping->dev, at);

	EXPECT(pool);
	EXPECT(slot_set(pool, phys_slot(pool, at))->area == &pool->areas[load->cpu]);
}

static void open_one(struct load *load)
{
	struct device *dev = &devices[machine_random(&load->random) % NR_DEVICES];
	size_t size = 1 + machine_random(&load->random) % scenario->max_size;
	struct mapping *mapping;

	if (!load->nr_closed || load->nr_open >= scenario->max_open)
		return;
	mapping = load->closed[load->nr_closed - 1];
	if (!mapping_open(mapping, dev, size, &load->random))
		return;
	if (scenario->own_area)
		check_area(load, mapping);
	load->nr_closed--;
	load->open[load->nr_open++] = mapping;
}

static struct mapping *pick_open(struct load *load)
{
	unsigned int i = machine_random(&load->random) % load->nr_open;
	struct mapping *mapping = load->open[i];

	load->open[i] = load->open[--load->nr_open];
	return mapping;
}

static void close_one(struct load *load)
{
	struct mapping *mapping;

	if (!load->nr_open)
		return;
	mapping = pick_open(load);
	mapping_close(mapping, &load->random);
	load->closed[load->nr_closed++] = mapping;
}

static void sync_one(struct load *load)
{
	if (load->nr_open)
		mapping_sync(load->open[machine_random(&load->random) % load->nr_open],
			     &load->random);
}

/* Like a driver whose interrupts come on another CPU */
static void hand_over_one(struct load *load)
{
	unsigned int i = machine_random(&load->random) % NR_BOXES;
	struct mapping *mapping = NULL, *other;

	if (load->nr_open)
		mapping = pick_open(load);
	other = __atomic_exchange_n(&boxes[i], mapping, __ATOMIC_ACQ_REL);
	if (!other)
		return;
	COUNT(handed_over);
	load->open[load->nr_open++] = other;
	if (load->nr_open > scenario->max_open)
		close_one(load);
}

static void step(struct load *load)
{
	unsigned int dice = machine_random(&load->random) % 100;

	if (dice < scenario->hand_over)
		hand_over_one(load);
	else if (dice < scenario->hand_over + scenario->sync)
		sync_one(load);
	else if (machine_random(&load->random) % 100 < 60)
		open_one(load);
	else
		close_one(load);
}

static void *load_thread(void *arg)
{
	struct load *load = arg;
	unsigned int i;

	machine_set_cpu(load->cpu);
	machine_thread_start();
	pthread_barrier_wait(&start_line);
	for (i = 0; i < scenario->steps; i++)
		step(load);
	while (load->nr_open)
		close_one(load);
	machine_thread_stop();
	return NULL;
}

/* --- other threads: the worker, grace periods, that of a scenario --- */

bool round_over(void)
{
	return __atomic_load_n(&over, __ATOMIC_RELAXED);
}

static unsigned int nr_pools(void)
{
	struct io_tlb_pool_table *table =
		rcu_dereference_protected(io_tlb_default_mem.pools, 1);

	return table ? table->nr : 0;
}

/* The only thread that adds pools and frees them */
static void *worker_thread(void *arg)
{
	unsigned int before = nr_pools(), added;

	machine_thread_start();
	while (!round_over()) {
		machine_work();
		added = nr_pools();
		tally.pools += added - before;
		usleep(20);
		machine_delayed_work();
		before = nr_pools();
		tally.removed += added - before;
		usleep(20);
	}
	machine_thread_stop();
	return NULL;
}

static void *grace_thread(void *arg)
{
	machine_thread_start();
	while (!round_over()) {
		__atomic_fetch_add(&tally.freed_late, machine_callbacks_pending(),
				   __ATOMIC_RELAXED);
		machine_grace_period();
		usleep(20);
	}
	machine_thread_stop();
	return NULL;
}

static void *beside_thread(void *arg)
{
	machine_set_cpu(scenario->cpus - 1);
	machine_thread_start();
	scenario->beside();
	machine_thread_stop();
	return NULL;
}

void round_start(pthread_t *thread, void *(*run)(void *), void *arg)
{
	if (pthread_create(thread, NULL, run, arg))
		machine_fail("no thread could be started");
}

void round_join(pthread_t thread)
{
	pthread_join(thread, NULL);
}

void round_start_services(const struct scenario *s)
{
	scenario = s;
	__atomic_store_n(&over, false, __ATOMIC_RELAXED);
	nr_services = 0;
	if (s->grows) {
		round_start(&services[nr_services++], worker_thread, NULL);
		round_start(&services[nr_services++], grace_thread, NULL);
	}
	if (s->beside)
		round_start(&services[nr_services++], beside_thread, NULL);
}

void round_end_services(void)
{
	__atomic_store_n(&over, true, __ATOMIC_RELAXED);
	while (nr_services)
		round_join(services[--nr_services]);
}

/* --- a round --- */

void round_boot(const struct scenario *s, u64 seed)
{
	struct machine_config config = {
		.frames = s->frames, .cpus = s->cpus, .param = s->param,
		.encrypted = s->encrypted, .seed = seed,
	};
	unsigned int i;

	machine_boot(&config);
	if (!s->grows)
		swiotlb_stop_growth();
	for (i = 0; i < NR_DEVICES; i++) {
		masks[i] = DMA_BIT_MASK(32);
		machine_device_init(&devices[i], &masks[i]);
	}
	devices[1].min_align_mask = PAGE_SIZE - 1;
	devices[2].segment_boundary = SZ_64K - 1;
	mappings_forget();
	boot_pages = machine_pages_in_use();
}

static unsigned long pages_of(const struct io_tlb_pool *pool)
{
	return 1UL << get_order(pool->bytes);
}

/* Free pools that were added, though they have not been idle for long. */
static unsigned long free_added_pools(struct io_tlb_mem *mem)
{
	struct io_tlb_pool_table *table = rcu_dereference_protected(mem->pools, 1);
	unsigned long nr_pages = 0;
	unsigned int i;

	for (i = 0; table && i < table->nr; i++) {
		if (table->pools[i] == mem->defpool)
			continue;
		nr_pages += pages_of(table->pools[i]);
		kvfree(table->pools[i]);
	}
	if (table && !table->boot)
		kfree(table);
	COUNT(rounds);
	return nr_pages;
}

/* All is unmapped, and all threads have ended. */
void round_check(const struct scenario *s)
{
	struct io_tlb_mem *mem = &io_tlb_default_mem;
	unsigned long extra;
	u64 value;

	machine_shut_down();
	EXPECT(!machine_callbacks_pending());
	EXPECT(!mappings_held());
	contract_check_all_free(mem);
	EXPECT(machine_read_counter("swiotlb", "io_tlb_used", &value) && !value);
	EXPECT(machine_read_counter("swiotlb", "io_tlb_transient_nslabs", &value) && !value);
	EXPECT(machine_read_counter("swiotlb", "io_tlb_used_hiwater", &value));
	if (s->beside != beside_hiwater && value < mappings_held_most())
		machine_fail("high-water mark %llu, but %lu slots were in use",
			     (unsigned long long)value, mappings_held_most());
	if (!s->grows && value > mem->nslabs)
		machine_fail("high-water mark %llu of %lu slots",
			     (unsigned long long)value, mem->nslabs);
	extra = machine_pages_in_use() - boot_pages;
	if (extra != free_added_pools(mem))
		machine_fail("pages are lost: %lu", extra);
	if (machine_objects_in_use())
		machine_fail("%lu objects are lost", machine_objects_in_use());
}

static void deal_mappings(const struct scenario *s, u64 seed)
{
	struct load *load;
	unsigned int i, m;

	for (i = 0; i < s->threads; i++) {
		load = &loads[i];
		load->cpu = i % s->cpus;
		load->random = seed + i;
		load->nr_open = 0;
		load->nr_closed = 0;
		for (m = 0; m < s->max_open; m++) {
			load->closed[m] = &mappings[i * s->max_open + m];
			mapping_init(load->closed[m]);
			load->nr_closed++;
		}
	}
}

static void free_mappings(const struct scenario *s)
{
	unsigned int i;

	for (i = 0; i < s->threads * s->max_open; i++)
		machine_free(mappings[i].pages, 2 * PAGE_SIZE + MAX_SIZE);
}

static void empty_boxes(u64 *random)
{
	unsigned int i;

	for (i = 0; i < NR_BOXES; i++)
		if (boxes[i])
			mapping_close(boxes[i], random);
	memset(boxes, 0, sizeof(boxes));
}

void load_run(const struct scenario *s, u64 seed)
{
	unsigned int i;

	round_boot(s, seed);
	deal_mappings(s, seed);
	pthread_barrier_init(&start_line, NULL, s->threads);
	round_start_services(s);
	for (i = 0; i < s->threads; i++)
		round_start(&loads[i].thread, load_thread, &loads[i]);
	for (i = 0; i < s->threads; i++)
		round_join(loads[i].thread);
	round_end_services();
	pthread_barrier_destroy(&start_line);

	empty_boxes(&seed);
	free_mappings(s);
	round_check(s);
}
