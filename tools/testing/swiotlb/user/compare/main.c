// SPDX-License-Identifier: GPL-2.0
/*
 * Maps the same random buffers for the same devices on every layout of frames,
 * and counts the DMA addresses that break the contract. Built once with the base
 * kernel's software IO TLB and once with this series'.
 *
 * Prints a line of figures for each layout and device; KTAP tests say whether the
 * count is zero. The base kernel is measured, not judged: in cases where it is known to
 * be wrong (see known_wrong()) it has to be wrong.
 */
#include <sys/wait.h>
#include <unistd.h>

#include "compare.h"

#define MAPS		3000
#define OUTSTANDING	24

static const char *const layouts[] = { "native", "identity", "offset", "by_page", "by_2m" };

/* Devices with different limits */
static const struct {
	const char *name;
	unsigned int min_align_mask;
	unsigned long boundary;
	u64 mask;
} devices[] = {
	{ "plain",		0,	U32_MAX,	DMA_BIT_MASK(32) },
	{ "boundary 64 KiB",	0,	0xffff,		DMA_BIT_MASK(32) },
	{ "boundary 4 KiB",	0,	0xfff,		DMA_BIT_MASK(32) },
	{ "align 4 KiB",	0xfff,	U32_MAX,	DMA_BIT_MASK(32) },
	{ "align 64 KiB",	0xffff,	U32_MAX,	DMA_BIT_MASK(32) },
	{ "both 64 KiB",	0xffff,	0xffff,		DMA_BIT_MASK(32) },
};

struct mapping {
	phys_addr_t phys;
	size_t size;
	dma_addr_t dma;
};

struct count {
	unsigned int maps;
	unsigned int failed;
	unsigned int wrong;
	const char *first;
};

static size_t random_size(u64 *random, unsigned long boundary)
{
	size_t most = min(boundary, 0x1ffffUL) + 1;

	if (machine_random(random) % 4 == 0)
		return most;
	return 1 + machine_random(random) % most;
}

static void map_one(struct device *dev, struct mapping *m, phys_addr_t pages, u64 *random,
		    struct count *count)
{
	const char *violation;

	m->size = random_size(random, dev->segment_boundary);
	m->phys = pages + machine_random(random) % 0x10000;
	/* If the buffer itself crosses the boundary, no mapping can keep its address bits. */
	if ((m->phys & dev->min_align_mask) + m->size > dev->segment_boundary + 1ULL)
		m->phys &= ~(phys_addr_t)0xffff;

	m->dma = bounce_map(dev, m->phys, m->size);
	count->maps++;
	if (m->dma == DMA_MAPPING_ERROR) {
		m->size = 0;
		count->failed++;
		return;
	}
	violation = contract_violation(dev, m->phys, m->size, 0, m->dma);
	if (!violation)
		return;
	count->wrong++;
	if (!count->first)
		count->first = violation;
}

static void run(unsigned int layout, unsigned int device, bool aligned, struct count *count)
{
	struct machine_config config = { .frames = layout, .param = "4096", .seed = 7 };
	struct mapping mappings[OUTSTANDING] = { };
	u64 mask = devices[device].mask, random = 1;
	struct device dev;
	phys_addr_t pages;
	unsigned int i;

	machine_power_on(&config);
	/* Memory was allocated before, so the pool is not aligned by chance. */
	if (!aligned)
		memblock_alloc(3 * PAGE_SIZE, PAGE_SIZE);
	machine_set_param("swiotlb", config.param);
	core_boot(&config);

	machine_device_init(&dev, &mask);
	dev.min_align_mask = devices[device].min_align_mask;
	dev.segment_boundary = devices[device].boundary;
	pages = machine_alloc(0x40000, __GFP_HIGHMEM);
	for (i = 0; i < MAPS; i++) {
		struct mapping *m = &mappings[machine_random(&random) % OUTSTANDING];

		if (m->size)
			bounce_unmap(&dev, m->dma, m->size);
		map_one(&dev, m, pages, &random, count);
	}
}

/*
 * The base kernel applies boundary and alignment beyond a page to physical addresses of
 * the pool. On Xen the machine addresses are others. This works only if the pool happens
 * to start at a multiple of a slot set's size.
 */
static bool known_wrong(unsigned int layout, unsigned int device, bool aligned)
{
	unsigned long boundary = devices[device].boundary;
	unsigned int align = devices[device].min_align_mask;

	return !strcmp(whose, "stock") && layout != FRAMES_NATIVE && !aligned &&
		((boundary > PAGE_SIZE && boundary < U32_MAX) || align > PAGE_SIZE);
}

static bool judge(unsigned int number, unsigned int layout, unsigned int device, bool aligned,
		  const struct count *count)
{
	bool wrong = known_wrong(layout, device, aligned);
	const char *place = aligned ? "pool at a set" : "pool at a page";
	bool ok = count->maps == MAPS && (wrong ? count->wrong : !count->wrong);

	printf("# %-8s %-15s %-14s %5u maps %5u failed %5u wrong%s%s\n", layouts[layout],
	       devices[device].name, place, count->maps, count->failed, count->wrong,
	       count->first ? ": " : "", count->first ?: "");
	printf("%sok %u %s: %s, %s, %s, %s\n", ok ? "" : "not ", number, whose,
	       layouts[layout], devices[device].name, place,
	       wrong ? "wrong addresses, as known" : "no wrong address");
	return ok;
}

/* In a process of its own: neither software IO TLB can be set up twice. */
static struct count measure(unsigned int layout, unsigned int device, bool aligned)
{
	struct count count = { };
	int result[2], status;
	pid_t child;

	fflush(stdout);
	if (pipe(result) || (child = fork()) < 0) {
		perror("compare");
		exit(2);
	}
	if (!child) {
		run(layout, device, aligned, &count);
		_exit(write(result[1], &count, sizeof(count)) != sizeof(count));
	}
	waitpid(child, &status, 0);
	if (status || read(result[0], &count, sizeof(count)) != sizeof(count))
		count = (struct count){ };
	close(result[0]);
	close(result[1]);
	return count;
}

int main(void)
{
	unsigned int layout, device, aligned, number = 0, failed = 0;
	struct count count;

	printf("KTAP version 1\n1..%zu\n", 2 * NR_FRAMES * ARRAY_SIZE(devices));
	for (layout = 0; layout < NR_FRAMES; layout++) {
		for (device = 0; device < ARRAY_SIZE(devices); device++) {
			for (aligned = 0; aligned < 2; aligned++) {
				count = measure(layout, device, aligned);
				failed += !judge(++number, layout, device, aligned, &count);
			}
		}
	}
	return failed != 0;
}
