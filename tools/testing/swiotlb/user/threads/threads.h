/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Threads that map, unmap and sync at the same time, each as another CPU of the
 * fake machine, under ThreadSanitizer.
 *
 *	main.c		chooses tests, runs each in a process of its own, prints KTAP
 *	load.c		rounds: boot, threads, and checks when all threads have ended
 *	mapping.c	a mapping whose contents are known at any time
 *	scenarios.c	tests that are a load with parameters
 *	special.c	tests with threads of their own kind
 *	leaf.c		one of them: the word of a P2M leaf
 *	span.c		another: mappings of more than a slot set
 *
 * A thread hands a mapping over to another one with a release and an acquire, like a
 * driver. Threads share nothing else that could order them. So ThreadSanitizer sees only
 * the order that the code under test makes, or such a handover.
 */
#ifndef _THREADS_H
#define _THREADS_H

#include "machine.h"
#include "swiotlb_internal.h"

#define MAX_SIZE	16384		/* of a mapping */
#define GUARD		64		/* bytes around an original that must stay */
#define MAX_LOADS	8
#define MAX_MAPPINGS	64		/* of a thread */
#define NR_DEVICES	3
#define NR_BOXES	16

/**
 * struct mapping - a buffer of a driver, and what it holds
 * @pages:	Physical address of its memory.
 * @dev:	Device that it is mapped for.
 * @orig:	Physical address of what is mapped.
 * @size:	Its size in bytes.
 * @dma:	DMA address.
 * @content:	What buffer and bounce buffer hold.
 */
struct mapping {
	phys_addr_t pages;
	struct device *dev;
	phys_addr_t orig;
	size_t size;
	dma_addr_t dma;
	u8 content[MAX_SIZE];
};

/**
 * struct scenario - what a round is made of
 * @name:	Name of the test.
 * @frames:	Layout of machine frames.
 * @param:	Value of swiotlb=.
 * @encrypted:	Memory is encrypted.
 * @cpus:	CPUs that the machine has.
 * @threads:	Threads with a load; thread i runs on CPU i modulo @cpus.
 * @steps:	How many steps each makes in a round.
 * @max_open:	Mappings that a thread keeps at most.
 * @max_size:	Largest mapping in bytes, up to %MAX_SIZE.
 * @hand_over:	Percentage of steps that give a mapping to another thread.
 * @sync:	Percentage of steps that sync.
 * @grows:	Pools may be added and freed meanwhile, by threads of their own.
 * @own_area:	A mapping must come from the area of its CPU.
 * @must_fail:	The pool is too small, so at least one mapping has to fail.
 * @beside:	Runs in one more thread until round_over(), or %NULL.
 * @run:	Runs one round: load_run(), or the function of a special test.
 */
struct scenario {
	const char *name;
	enum machine_frames frames;
	const char *param;
	bool encrypted;
	unsigned int cpus;
	unsigned int threads;
	unsigned int steps;
	unsigned int max_open;
	unsigned int max_size;
	unsigned int hand_over;
	unsigned int sync;
	bool grows;
	bool own_area;
	bool must_fail;
	void (*beside)(void);
	void (*run)(const struct scenario *scenario, u64 seed);
};

/**
 * struct tally - what has happened in a test, over all rounds
 * @maps:	Mappings made.
 * @failures:	Mappings that found no room.
 * @handed_over: Mappings that another thread got.
 * @syncs:	Syncs.
 * @pools:	Pools added.
 * @removed:	Pools that were idle, and freed.
 * @transients:	Mappings that got a transient pool.
 * @freed_late:	Pools and tables that were freed after a grace period.
 * @leaves:	How often the word of a P2M leaf was found to be valid.
 * @rounds:	Machines booted.
 */
struct tally {
	unsigned long maps;
	unsigned long failures;
	unsigned long handed_over;
	unsigned long syncs;
	unsigned long pools;
	unsigned long removed;
	unsigned long transients;
	unsigned long freed_late;
	unsigned long leaves;
	unsigned long rounds;
};

#define COUNT(what)	__atomic_fetch_add(&tally.what, 1, __ATOMIC_RELAXED)

extern struct tally tally;
extern struct device devices[NR_DEVICES];

/* mapping.c */
void mapping_init(struct mapping *mapping);
bool mapping_open(struct mapping *mapping, struct device *dev, size_t size, u64 *random);
void mapping_sync(struct mapping *mapping, u64 *random);
void mapping_sync_byte(struct mapping *mapping, u64 *random);
void mapping_close(struct mapping *mapping, u64 *random);
unsigned long mappings_held(void);
unsigned long mappings_held_most(void);
void mappings_forget(void);

/* load.c */
void round_boot(const struct scenario *scenario, u64 seed);
void round_start(pthread_t *thread, void *(*run)(void *), void *arg);
void round_join(pthread_t thread);
bool round_over(void);
void round_end_services(void);
void round_start_services(const struct scenario *scenario);
void round_check(const struct scenario *scenario);
void load_run(const struct scenario *scenario, u64 seed);

/* scenarios.c, special.c, leaf.c, span.c */
extern const struct scenario scenarios[];
extern const unsigned int nr_scenarios;
void beside_hiwater(void);
void beside_sync(void);
void special_first_use(const struct scenario *scenario, u64 seed);
void special_late_init(const struct scenario *scenario, u64 seed);
void special_restricted(const struct scenario *scenario, u64 seed);
void special_spans(const struct scenario *scenario, u64 seed);
void special_leaf(const struct scenario *scenario, u64 seed);

#endif
