/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Each test is a function that runs in a process of its own, on a new machine. If it
 * fails, the others still run. When it ends, it must have unmapped everything and have
 * expected every warning.
 */
#ifndef _TEST_H
#define _TEST_H

#include "machine.h"
#include "swiotlb_growth.h"
#include "swiotlb_internal.h"

/**
 * struct test - a test
 * @name:	Its name.
 * @run:	Called with an element of @variants.
 * @variants:	Names of the variants, each a test of its own, or %NULL.
 */
struct test {
	const char *name;
	void (*run)(unsigned int variant);
	const char *const *variants;
	struct test *next;
};

void add_test(struct test *test);
void test_skip(const char *reason);

/* The test that runs in this process */
extern const struct test *running;

/* enum machine_frames */
extern const char *const frames_names[];

#define TEST_VARIANTS(id, names)						\
	static void id(unsigned int variant);				\
	static struct test test_##id = { #id, id, names };		\
	static void __attribute__((__constructor__)) add_##id(void)	\
	{								\
		add_test(&test_##id);					\
	}								\
	static void id(unsigned int variant)

#define TEST(id)		TEST_VARIANTS(id, NULL)
#define TEST_ALL_FRAMES(id)	TEST_VARIANTS(id, frames_names)

/* --- what most tests need --- */

/**
 * struct buffer - memory of a driver
 * @phys:	Physical address of its first byte.
 * @size:	Bytes.
 * @pages:	Physical address of the pages that it lies in.
 */
struct buffer {
	phys_addr_t phys;
	size_t size;
	phys_addr_t pages;
};

void boot(enum machine_frames frames, const char *param);
void device_init(struct device *dev, unsigned int mask_bits);
struct buffer buffer_alloc(size_t size, size_t offset, gfp_t gfp);
void buffer_free(struct buffer *buffer);
dma_addr_t map(struct device *dev, struct buffer *buffer, enum dma_data_direction dir);
void unmap(struct device *dev, dma_addr_t dma, size_t size, enum dma_data_direction dir);
unsigned int map_up_to(struct device *dev, struct buffer *buffer, dma_addr_t *dma,
		       unsigned int most, enum dma_data_direction dir);
void unmap_all(struct device *dev, struct buffer *buffer, dma_addr_t *dma, unsigned int nr,
	       enum dma_data_direction dir);
unsigned long slots_used(void);
u64 counter(const char *name);
void expect_hiwater(unsigned long most_used);

#endif
