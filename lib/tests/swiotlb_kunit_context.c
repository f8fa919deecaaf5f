// SPDX-License-Identifier: GPL-2.0-only
/*
 * Software IO TLB: mappings that are made in all contexts and by many at a
 * time: with interrupts off, in interrupts of each kind, and by all CPUs, each
 * of which unmaps what others have mapped.
 */
#include <linux/cpu.h>
#include <linux/cpumask.h>
#include <linux/hrtimer.h>
#include <linux/jiffies.h>
#include <linux/prandom.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include <linux/workqueue.h>

#include "swiotlb_kunit.h"

/*
 * Many at a time
 */

/**
 * struct parcel - a mapping that is kept, or handed from CPU to CPU
 * @buf:	Its buffer.
 * @dma:	Its DMA address, if it is mapped.
 * @size:	Its size; 0 if it is not mapped.
 * @seed:	What the device has written.
 */
struct parcel {
	void *buf;
	dma_addr_t dma;
	size_t size;
	u32 seed;
};

/**
 * struct worker - who packs and unpacks parcels
 * @dev:	Device.
 * @rnd:	Random numbers.
 * @most:	Largest mapping.
 * @parcel:	What it has in its hands.
 * @mapped:	Number of mappings made.
 * @failed:	Number of mappings for which there was no room.
 * @errors:	Number of mappings with wrong data.
 */
struct worker {
	struct device *dev;
	struct rnd_state rnd;
	size_t most;
	struct parcel *parcel;
	unsigned int mapped;
	unsigned int failed;
	unsigned int errors;
};

static struct parcel *make_parcel(struct kunit *test, size_t most)
{
	struct parcel *p = kunit_kzalloc(test, sizeof(*p), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, p);
	p->buf = kunit_kzalloc(test, most, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, p->buf);
	return p;
}

static void init_worker(struct kunit *test, struct worker *w, size_t most,
			u32 seed)
{
	struct swiotlb_test *t = test->priv;

	w->dev = t->dev;
	w->most = most;
	w->parcel = make_parcel(test, most);
	prandom_seed_state(&w->rnd, seed);
}

/*
 * Map, and let the device write. The buffer does not see that before it is
 * unmapped, so it can meanwhile be where the data is made up.
 */
static void pack(struct worker *w)
{
	size_t size = 1 + prandom_u32_state(&w->rnd) % w->most;
	struct parcel *p = w->parcel;

	p->seed = prandom_u32_state(&w->rnd);
	p->dma = dma_map_single_attrs(w->dev, p->buf, size, DMA_FROM_DEVICE,
				      DMA_ATTR_NO_WARN);
	if (dma_mapping_error(w->dev, p->dma)) {
		w->failed++;
		return;
	}

	p->size = size;
	w->mapped++;
	dma_test_fill(p->buf, size, p->seed);
	if (!dma_test_write(w->dev, p->dma, p->buf, size))
		w->errors++;
	memset(p->buf, 0, size);
}

/* Unmap; what the device has written has to be there. */
static void unpack(struct worker *w)
{
	struct parcel *p = w->parcel;

	if (!p->size)
		return;
	dma_unmap_single(w->dev, p->dma, p->size, DMA_FROM_DEVICE);
	if (!dma_test_filled(p->buf, p->size, p->seed))
		w->errors++;
	p->size = 0;
}

/* Take another parcel. */
static void swap_parcel(struct worker *w, struct parcel **place)
{
	w->parcel = xchg(place, w->parcel);
}

/*
 * Contexts
 */

void swiotlb_test_interrupts_off(struct kunit *test)
{
	struct swiotlb_test *t = test->priv;
	unsigned long flags;
	bool good;

	local_irq_save(flags);
	good = round_trip(t->dev, t->buf, SZ_64K, 1);
	local_irq_restore(flags);
	KUNIT_EXPECT_TRUE(test, good);
}

/**
 * struct interruption - an interrupt that maps
 * @timer:	Interrupts all the time.
 * @worker:	Maps and unmaps.
 * @kept:	Mapping of the last interrupt, so that slots that were free before
 *		are taken when it returns.
 * @wrong:	Number of interrupts that ran elsewhere than they should.
 * @soft:	It is a soft one.
 * @count:	How often it has run.
 */
struct interruption {
	struct hrtimer timer;
	struct worker worker;
	struct parcel *kept;
	unsigned int wrong;
	bool soft;
	unsigned int count;
};

#define INTERRUPTIONS	4000
#define INTERVAL_NS	50000

static enum hrtimer_restart map_in_interrupt(struct hrtimer *timer)
{
	struct interruption *irq = container_of(timer, typeof(*irq), timer);

	irq->wrong += irq->soft ? !in_serving_softirq() : !in_hardirq();
	pack(&irq->worker);
	swap_parcel(&irq->worker, &irq->kept);
	unpack(&irq->worker);
	WRITE_ONCE(irq->count, irq->count + 1);
	if (irq->count == INTERRUPTIONS)
		return HRTIMER_NORESTART;
	hrtimer_forward_now(timer, ns_to_ktime(INTERVAL_NS));
	return HRTIMER_RESTART;
}

static struct interruption *make_interruption(struct kunit *test, bool soft)
{
	struct interruption *irq = kunit_kzalloc(test, sizeof(*irq), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, irq);
	init_worker(test, &irq->worker, 64, 10 + soft);
	irq->kept = make_parcel(test, 64);
	irq->soft = soft;
	return irq;
}

static void start_interruption(struct interruption *irq)
{
	enum hrtimer_mode mode = irq->soft ? HRTIMER_MODE_REL_PINNED_SOFT :
					     HRTIMER_MODE_REL_PINNED_HARD;

	hrtimer_setup(&irq->timer, map_in_interrupt, CLOCK_MONOTONIC, mode);
	hrtimer_start(&irq->timer, ns_to_ktime(INTERVAL_NS), mode);
}

static void finish_interruption(struct kunit *test, struct interruption *irq)
{
	hrtimer_cancel(&irq->timer);
	swap_parcel(&irq->worker, &irq->kept);
	unpack(&irq->worker);
	KUNIT_EXPECT_EQ(test, irq->wrong, 0);
	KUNIT_EXPECT_EQ(test, irq->count, INTERRUPTIONS);
	KUNIT_EXPECT_EQ(test, irq->worker.mapped, INTERRUPTIONS);
	KUNIT_EXPECT_EQ(test, irq->worker.errors, 0);
}

/* Mappings are interrupted by others, in hard and in soft interrupts. */
void swiotlb_test_interrupted(struct kunit *test)
{
	unsigned long end = jiffies + 60 * HZ;
	struct interruption *hard = make_interruption(test, false);
	struct interruption *soft = make_interruption(test, true);
	struct parcel *kept[8];
	struct worker w = {};
	unsigned int i;

	init_worker(test, &w, 64, 1);
	for (i = 0; i < ARRAY_SIZE(kept); i++)
		kept[i] = make_parcel(test, 64);

	migrate_disable();
	start_interruption(hard);
	start_interruption(soft);
	for (i = 0; READ_ONCE(hard->count) < INTERRUPTIONS ||
	     READ_ONCE(soft->count) < INTERRUPTIONS; i++) {
		pack(&w);
		swap_parcel(&w, &kept[i % ARRAY_SIZE(kept)]);
		unpack(&w);
		if (time_after(jiffies, end))
			break;
		cond_resched();
	}
	migrate_enable();

	finish_interruption(test, hard);
	finish_interruption(test, soft);
	for (i = 0; i < ARRAY_SIZE(kept); i++) {
		swap_parcel(&w, &kept[i]);
		unpack(&w);
	}
	KUNIT_EXPECT_EQ(test, w.failed, 0);
	KUNIT_EXPECT_EQ(test, w.errors, 0);
}

/*
 * CPUs
 */

#define MOST_WORKERS	16
#define WORKER_STEPS	400
#define SHELF_PLACES	8

/* Where workers leave parcels for each other */
static struct parcel *shelf[SHELF_PLACES];

/**
 * struct cpu_worker - a worker on a CPU
 * @work:	Queued on that CPU.
 * @worker:	Packs parcels, and unpacks whose it finds on the shelf.
 */
struct cpu_worker {
	struct work_struct work;
	struct worker worker;
};

static void work_on_shelf(struct work_struct *work)
{
	struct worker *w = &container_of(work, struct cpu_worker, work)->worker;
	unsigned int step;

	for (step = 0; step < WORKER_STEPS; step++) {
		pack(w);
		swap_parcel(w, &shelf[prandom_u32_state(&w->rnd) %
				      SHELF_PLACES]);
		unpack(w);
		cond_resched();
	}
}

/**
 * swiotlb_test_run_workers() - let all CPUs map, and unmap what others have
 * @test:	Test.
 * @most:	Largest mapping.
 *
 * Return: Number of mappings for which there was no room.
 */
unsigned int swiotlb_test_run_workers(struct kunit *test, size_t most)
{
	unsigned int nr = min(num_online_cpus(), MOST_WORKERS), i;
	unsigned int mapped = 0, failed = 0, errors = 0, cpu;
	struct cpu_worker *w;

	w = kunit_kcalloc(test, nr, sizeof(*w), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, w);
	for (i = 0; i < SHELF_PLACES; i++)
		shelf[i] = make_parcel(test, most);
	for (i = 0; i < nr; i++) {
		init_worker(test, &w[i].worker, most, i + 1);
		INIT_WORK(&w[i].work, work_on_shelf);
	}

	cpus_read_lock();
	i = 0;
	for_each_online_cpu(cpu)
		if (i < nr)
			queue_work_on(cpu, system_long_wq, &w[i++].work);
	for (i = 0; i < nr; i++)
		flush_work(&w[i].work);
	cpus_read_unlock();

	for (i = 0; i < SHELF_PLACES; i++) {
		unpack(&w[0].worker);
		swap_parcel(&w[0].worker, &shelf[i]);
	}
	for (i = 0; i < nr; i++) {
		unpack(&w[i].worker);
		mapped += w[i].worker.mapped;
		failed += w[i].worker.failed;
		errors += w[i].worker.errors;
	}

	KUNIT_EXPECT_EQ(test, errors, 0);
	KUNIT_EXPECT_EQ(test, mapped + failed, nr * WORKER_STEPS);
	KUNIT_EXPECT_GT(test, mapped, 0);
	return failed;
}

void swiotlb_test_cpus(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, swiotlb_test_run_workers(test, SZ_16K), 0);
}

/* There is not always room. That must do no harm. */
void swiotlb_test_cpus_without_room(struct kunit *test)
{
	swiotlb_test_run_workers(test, IO_TLB_SET_BYTES);
}
