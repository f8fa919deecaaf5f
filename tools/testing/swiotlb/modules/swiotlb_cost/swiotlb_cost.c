// SPDX-License-Identifier: GPL-2.0
/*
 * What dma_map_single(), dma_unmap_single() and dma_sync_single_for_cpu() cost,
 * in instructions. Only QEMU makes the TSC count those:
 *
 *   -icount shift=0,sleep=off -smp 1, and tsc=reliable on a native command line
 *
 * The edu device stands for any 64-bit PCI device; nothing is transferred.
 * Each figure is the mean of many warm calls with interrupts off, less what
 * reading the TSC takes. The mean, not the least: what a bounce costs depends on
 * where in its slot set it lies, so the calls walk through several sets. On the
 * direct path every call costs the same.
 *
 * map and unmap are DMA_TO_DEVICE; sync is that of 64 bytes of a DMA_FROM_DEVICE
 * mapping, which copies them when bounced. To be loaded before anything has
 * bounced for this device: the direct path is measured as a device knows it that
 * never did.
 */
#include <linux/dma-mapping.h>
#include <linux/gfp.h>
#include <linux/irqflags.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/sizes.h>
#include <asm/msr.h>

/* Four slot sets of 128, or four times through each place of larger mappings. */
#define ROUNDS		512
#define SYNC_SIZE	64
#define BUFFER_SIZE	SZ_64K

struct cost {
	u64 map;
	u64 unmap;
	u64 sync;
	bool bounced;
};

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

/* A byte changed behind a bounced mapping's back is the old one after a sync. */
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

/* Both are noinline, so that every caller measures the same code. */
static noinline int count_map(struct device *dev, u8 *mem, size_t size, struct cost *cost)
{
	u64 start, mapped, unmap;
	dma_addr_t dma;

	start = rdtsc_ordered();
	dma = dma_map_single(dev, mem, size, DMA_TO_DEVICE);
	mapped = rdtsc_ordered();
	if (dma_mapping_error(dev, dma))
		return -EIO;
	unmap = rdtsc_ordered();
	dma_unmap_single(dev, dma, size, DMA_TO_DEVICE);
	cost->unmap += rdtsc_ordered() - unmap;
	cost->map += mapped - start;
	return 0;
}

static noinline int count_sync(struct device *dev, u8 *mem, size_t size, struct cost *cost)
{
	dma_addr_t dma = dma_map_single(dev, mem, size, DMA_FROM_DEVICE);
	u64 start;

	if (dma_mapping_error(dev, dma))
		return -EIO;
	start = rdtsc_ordered();
	dma_sync_single_for_cpu(dev, dma, SYNC_SIZE, DMA_FROM_DEVICE);
	cost->sync += rdtsc_ordered() - start;
	dma_unmap_single(dev, dma, size, DMA_FROM_DEVICE);
	return 0;
}

static int count_rounds(struct device *dev, u8 *mem, size_t size, struct cost *cost)
{
	unsigned long flags;
	int err = 0;
	int i;

	cost->map = 0;
	cost->unmap = 0;
	cost->sync = 0;
	local_irq_save(flags);
	for (i = 0; !err && i < ROUNDS; i++)
		err = count_map(dev, mem, size, cost);
	for (i = 0; !err && i < ROUNDS; i++)
		err = count_sync(dev, mem, size, cost);
	local_irq_restore(flags);
	return err;
}

static int measure(struct device *dev, u8 *mem, size_t size, struct cost *cost)
{
	u64 empty = empty_cost();
	int err;

	err = learn_path(dev, mem, size, cost);
	if (!err)
		err = count_rounds(dev, mem, size, cost);	/* warm */
	if (!err)
		err = count_rounds(dev, mem, size, cost);
	if (err)
		return err;
	cost->map = cost->map / ROUNDS - empty;
	cost->unmap = cost->unmap / ROUNDS - empty;
	cost->sync = cost->sync / ROUNDS - empty;
	return 0;
}

/* One line a size, as far as the mapping takes the wanted path. */
static void measure_path(struct device *dev, u8 *mem, bool bounced)
{
	static const size_t sizes[] = { 64, 1500, SZ_4K, SZ_64K };
	const char *path = bounced ? "bounced" : "direct";
	struct cost cost;
	int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		if (measure(dev, mem, sizes[i], &cost)) {
			dev_err(dev, "%zu bytes could not be mapped\n", sizes[i]);
			return;
		}
		if (cost.bounced != bounced) {
			pr_info("# no COST path=%s size=%zu: here it is %s\n", path, sizes[i],
				cost.bounced ? "bounced" : "direct");
			continue;
		}
		pr_info("# COST path=%s size=%zu map=%llu unmap=%llu sync=%llu\n", path,
			sizes[i], cost.map, cost.unmap, cost.sync);
	}
}

static int cost_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct device *dev = &pdev->dev;
	u8 *mem;
	int err;

	pr_info("# COST is less %llu for reading the TSC\n", empty_cost());
	mem = alloc_pages_exact(BUFFER_SIZE, GFP_KERNEL | __GFP_ZERO);
	if (!mem)
		return -ENOMEM;
	err = dma_set_mask(dev, DMA_BIT_MASK(64));
	if (!err)
		measure_path(dev, mem, false);
	if (!err)
		err = dma_set_mask(dev, DMA_BIT_MASK(32));
	if (!err)
		measure_path(dev, mem, true);
	if (err)
		dev_err(dev, "a DMA mask is refused: %d\n", err);
	free_pages_exact(mem, BUFFER_SIZE);
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
