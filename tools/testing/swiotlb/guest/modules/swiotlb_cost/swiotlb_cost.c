// SPDX-License-Identifier: GPL-2.0
/*
 * Count the instructions of mapping, unmapping and syncing for a device. The TSC
 * counts instructions only in QEMU with
 *
 *   -icount shift=0,sleep=off -smp 1, and tsc=reliable on a native command line
 *
 * The edu device stands for any 64-bit PCI device; nothing is transferred.
 * Each figure is the mean of many warm calls with interrupts off, less the cost of
 * reading the TSC. The mean, not the least: the cost of a bounce depends on its
 * place in a slot set, so the calls go through several sets. On the direct path
 * every call costs the same.
 *
 * map and unmap are DMA_TO_DEVICE, map_from and unmap_from DMA_FROM_DEVICE. A sync
 * is of 64 bytes of a DMA_FROM_DEVICE mapping: at its start for the CPU and for the
 * device, and a range at its end for the CPU. Mappings are made and undone one at a
 * time, and many in turn, as in a busy queue. On the path "aligned" the device
 * bounces and wants the offset in a page kept, as NVMe does. Every bounce copies, so
 * copies alone are counted as well: the rest is bookkeeping.
 *
 * Load it before anything has bounced for this device: the direct path is measured
 * for a device that has never bounced.
 */
#include <linux/dma-mapping.h>
#include <linux/gfp.h>
#include <linux/irqflags.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/sizes.h>
#include <asm/msr.h>

/* Mappings of one slot go through four sets of 128; larger ones reuse their places. */
#define ROUNDS		512
#define DEPTH_MOST	64
#define SYNC_SIZE	64
#define BUFFER_SIZE	SZ_64K

enum call {
	MAP,
	UNMAP,
	MAP_FROM,
	UNMAP_FROM,
	SYNC_CPU,
	SYNC_DEVICE,
	SYNC_RANGE,
	CALLS
};

struct cost {
	unsigned int depth;	/* mappings at once */
	u64 sum[CALLS];
	bool bounced;
};

static const size_t sizes[] = { SYNC_SIZE, 1500, SZ_4K, BUFFER_SIZE };

/* Instructions between two reads with nothing between them. */
static u64 empty_cost(void)
{
	u64 least = U64_MAX;
	u64 start, end;
	int i;

	for (i = 0; i < 16; i++) {
		start = rdtsc_ordered();
		end = rdtsc_ordered();
		least = min(least, end - start);
	}
	return least;
}

/* When the CPU changes a byte of a bounced mapping, a sync brings the old one back. */
static bool is_bounced(struct device *dev, u8 *mem, dma_addr_t dma)
{
	u8 old = READ_ONCE(*mem);
	bool bounced;

	WRITE_ONCE(*mem, (u8)~old);
	dma_sync_single_for_cpu(dev, dma, 1, DMA_BIDIRECTIONAL);
	bounced = READ_ONCE(*mem) == old;
	WRITE_ONCE(*mem, old);
	return bounced;
}

static int learn_path(struct device *dev, u8 *mem, size_t size, struct cost *cost)
{
	dma_addr_t dma = dma_map_single(dev, mem, size, DMA_BIDIRECTIONAL);

	if (dma_mapping_error(dev, dma))
		return -EIO;
	cost->bounced = is_bounced(dev, mem, dma);
	dma_unmap_single(dev, dma, size, DMA_BIDIRECTIONAL);
	return 0;
}

static noinline dma_addr_t count_map(struct device *dev, u8 *mem, size_t size,
				     enum dma_data_direction dir, u64 *sum)
{
	u64 start = rdtsc_ordered();
	dma_addr_t dma = dma_map_single(dev, mem, size, dir);

	*sum += rdtsc_ordered() - start;
	return dma;
}

static noinline void count_unmap(struct device *dev, dma_addr_t dma, size_t size,
				 enum dma_data_direction dir, u64 *sum)
{
	u64 start = rdtsc_ordered();

	dma_unmap_single(dev, dma, size, dir);
	*sum += rdtsc_ordered() - start;
}

static noinline void count_syncs(struct device *dev, dma_addr_t dma, size_t size, u64 *sum)
{
	u64 start = rdtsc_ordered();

	dma_sync_single_for_cpu(dev, dma, SYNC_SIZE, DMA_FROM_DEVICE);
	sum[SYNC_CPU] += rdtsc_ordered() - start;
	start = rdtsc_ordered();
	dma_sync_single_for_device(dev, dma, SYNC_SIZE, DMA_FROM_DEVICE);
	sum[SYNC_DEVICE] += rdtsc_ordered() - start;
	start = rdtsc_ordered();
	dma_sync_single_range_for_cpu(dev, dma, size - SYNC_SIZE, SYNC_SIZE, DMA_FROM_DEVICE);
	sum[SYNC_RANGE] += rdtsc_ordered() - start;
}

/* Make @cost->depth mappings, then undo all of them in the same order. */
static int count_batch(struct device *dev, u8 *mem, size_t size,
		       enum dma_data_direction dir, struct cost *cost)
{
	bool from = dir == DMA_FROM_DEVICE;
	u64 *sum = cost->sum;
	dma_addr_t dma[DEPTH_MOST];
	int err = 0;
	int i, n;

	for (n = 0; !err && n < cost->depth; n++) {
		dma[n] = count_map(dev, mem, size, dir, &sum[from ? MAP_FROM : MAP]);
		err = dma_mapping_error(dev, dma[n]);
	}
	if (err)
		n--;
	for (i = 0; from && i < n; i++)
		count_syncs(dev, dma[i], size, sum);
	for (i = 0; i < n; i++)
		count_unmap(dev, dma[i], size, dir, &sum[from ? UNMAP_FROM : UNMAP]);
	return err;
}

static int count_rounds(struct device *dev, u8 *mem, size_t size, struct cost *cost)
{
	unsigned long flags;
	int err = 0;
	int i;

	memset(cost->sum, 0, sizeof(cost->sum));
	local_irq_save(flags);
	for (i = 0; !err && i < ROUNDS; i += cost->depth)
		err = count_batch(dev, mem, size, DMA_TO_DEVICE, cost);
	for (i = 0; !err && i < ROUNDS; i += cost->depth)
		err = count_batch(dev, mem, size, DMA_FROM_DEVICE, cost);
	local_irq_restore(flags);
	return err;
}

static int measure(struct device *dev, u8 *mem, size_t size, struct cost *cost)
{
	u64 empty = empty_cost();
	int err, i;

	err = learn_path(dev, mem, size, cost);
	if (!err)
		err = count_rounds(dev, mem, size, cost);	/* warm */
	if (!err)
		err = count_rounds(dev, mem, size, cost);
	if (err)
		return err;
	for (i = 0; i < CALLS; i++)
		cost->sum[i] = cost->sum[i] / ROUNDS - empty;
	return 0;
}

static void print_cost(const char *path, size_t size, const struct cost *cost)
{
	const u64 *mean = cost->sum;

	pr_info("# COST path=%s size=%zu depth=%u map=%llu unmap=%llu map_from=%llu unmap_from=%llu sync_cpu=%llu sync_device=%llu sync_range=%llu\n",
		path, size, cost->depth, mean[MAP], mean[UNMAP], mean[MAP_FROM], mean[UNMAP_FROM],
		mean[SYNC_CPU], mean[SYNC_DEVICE], mean[SYNC_RANGE]);
}

/* Print a line, if the mapping takes the wanted path. */
static void measure_case(struct device *dev, u8 *mem, size_t size, unsigned int depth,
			 const char *path, bool bounced)
{
	struct cost cost = { .depth = depth };

	if (measure(dev, mem, size, &cost)) {
		dev_err(dev, "%zu bytes could not be mapped\n", size);
		return;
	}
	if (cost.bounced != bounced) {
		pr_info("# no COST path=%s size=%zu: here it is %s\n", path, size,
			cost.bounced ? "bounced" : "direct");
		return;
	}
	print_cost(path, size, &cost);
}

/* Direct mappings do not depend on each other: count them one at a time only. */
static void measure_path(struct device *dev, u8 *mem, const char *path, bool bounced)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		measure_case(dev, mem, sizes[i], 1, path, bounced);
		if (bounced)
			measure_case(dev, mem, sizes[i], DEPTH_MOST, path, bounced);
	}
}

/*
 * The copy alone, by the same memcpy() that swiotlb calls. The processor decides
 * which one that is. With FSRM it is "rep movsb", which counts once per byte: that
 * is counted as well.
 */
static noinline u64 count_memcpy(u8 *to, const u8 *from, size_t size)
{
	u64 start = rdtsc_ordered();

	memcpy(to, from, size);
	return rdtsc_ordered() - start;
}

static noinline u64 count_movsb(u8 *to, const u8 *from, size_t size)
{
	u64 start = rdtsc_ordered();

	asm volatile("rep movsb" : "+D" (to), "+S" (from), "+c" (size) : : "memory");
	return rdtsc_ordered() - start;
}

static void measure_copy(const char *name, u64 (*count)(u8 *to, const u8 *from, size_t size),
			 u8 *mem)
{
	u64 empty = empty_cost();
	unsigned long flags;
	u64 cost;
	int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		local_irq_save(flags);
		count(mem, mem + BUFFER_SIZE, sizes[i]);	/* warm */
		cost = count(mem, mem + BUFFER_SIZE, sizes[i]);
		local_irq_restore(flags);
		pr_info("# COST path=copy size=%zu %s=%llu\n", sizes[i], name, cost - empty);
	}
}

static int measure_all(struct device *dev, u8 *mem)
{
	int err;

	measure_copy("memcpy", count_memcpy, mem);
	measure_copy("movsb", count_movsb, mem);
	err = dma_set_mask(dev, DMA_BIT_MASK(64));
	if (err)
		return err;
	measure_path(dev, mem, "direct", false);
	err = dma_set_mask(dev, DMA_BIT_MASK(32));
	if (err)
		return err;
	measure_path(dev, mem, "bounced", true);
	dma_set_min_align_mask(dev, SZ_4K - 1);
	measure_path(dev, mem, "aligned", true);
	return 0;
}

static int cost_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct device *dev = &pdev->dev;
	u8 *mem;
	int err;

	pr_info("# COST is less %llu for reading the TSC\n", empty_cost());
	mem = alloc_pages_exact(2 * BUFFER_SIZE, GFP_KERNEL | __GFP_ZERO);
	if (!mem)
		return -ENOMEM;
	err = measure_all(dev, mem);
	if (err)
		dev_err(dev, "a DMA mask is refused: %d\n", err);
	free_pages_exact(mem, 2 * BUFFER_SIZE);
	return err;
}

static const struct pci_device_id cost_ids[] = {
	{ PCI_DEVICE(0x1234, 0x11e8) },
	{ }
};
MODULE_DEVICE_TABLE(pci, cost_ids);

static struct pci_driver cost_driver = {
	.name = KBUILD_MODNAME,
	.id_table = cost_ids,
	.probe = cost_probe,
	.driver = { .probe_type = PROBE_FORCE_SYNCHRONOUS },
};

static int __init cost_init(void)
{
	if (!pci_dev_present(cost_ids)) {
		pr_err("swiotlb_cost: no edu device: start QEMU with -device edu\n");
		return -ENODEV;
	}
	return pci_register_driver(&cost_driver);
}
module_init(cost_init);

static void __exit cost_exit(void)
{
	pci_unregister_driver(&cost_driver);
}
module_exit(cost_exit);

MODULE_DESCRIPTION("Instructions that DMA mapping calls take");
MODULE_LICENSE("GPL");
