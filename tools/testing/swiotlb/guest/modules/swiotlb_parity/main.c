// SPDX-License-Identifier: GPL-2.0
/*
 * What a driver may expect of the DMA API, on QEMU's edu device (1234:11e8) started
 * with dma_mask=0xffffffff. Loading the module asks; each row is answered in the
 * kernel log by a line
 *
 *   # ROW name yes|no|- what was measured
 *
 * A no is an answer: the module fails only when it could not ask. Of the kernel under
 * test it uses only the DMA API, so that it can be loaded into any kernel.
 *
 *   rows=a,b    only these
 *   cycles=N    see cycles.c
 */
#include <linux/module.h>

#include "parity.h"

#define ROWS_MOST	32

static char *rows[ROWS_MOST];
static int nr_rows;
module_param_array(rows, charp, &nr_rows, 0444);
MODULE_PARM_DESC(rows, "the rows to ask for (default: all)");

static const struct row {
	const char *name;
	int (*ask)(struct edu *edu, struct said *said);
	bool extra;	/* only when named */
} table[] = {
	/* before anything has bounced */
	{ "need-sync", row_need_sync },
	{ "required-mask", row_required_mask },
	{ "map-resource", row_map_resource },
	{ "peer-to-peer", row_peer_to_peer },
	/* before large allocations: memory that those free might help here */
	{ "coherent-atomic", row_coherent_atomic },
	{ "alloc-pages", row_alloc_pages },
	{ "alloc-noncontiguous", row_alloc_noncontiguous },
	{ "coherent-large", row_coherent_large },
	{ "coherent-masks", row_coherent_masks },
	{ "coherent-bus-limit", row_coherent_bus_limit },
	{ "coherent-aligned", row_coherent_aligned },
	{ "max-mapping", row_max_mapping },
	{ "large-map", row_large_map },
	{ "largest-map", row_largest_map },
	{ "streaming-unaligned", row_streaming_unaligned },
	{ "require-coherent", row_require_coherent },
	/* after coherent memory was freed, which leaves frames that are not adjacent */
	{ "sg-scattered", row_sg_scattered },
	{ "block-scattered", row_block_scattered },
	{ "supported-highest", row_supported_highest },
	{ "grow", row_grow },
	{ "grow-below-mask", row_grow_below_mask },
	{ "shrink", row_shrink },
	/* takes ten seconds a cycle */
	{ "grow-cycles", row_grow_cycles, true },
	/* needs a machine with little memory below 4 GiB */
	{ "grow-exhausted", row_grow_exhausted, true },
	/* needs a domain that has granted pages */
	{ "foreign", row_foreign, true },
	/* needs a PV domain; stock panics, see grant_pages.c */
	{ "grant-pages", row_grant_pages, true },
};

void say(struct said *said, const char *fmt, ...)
{
	size_t len = strlen(said->text);
	va_list args;

	va_start(args, fmt);
	vsnprintf(said->text + len, sizeof(said->text) - len, fmt, args);
	va_end(args);
}

const char *size_name(size_t size)
{
	static char name[4][32];
	static unsigned int next;
	char *text = name[next++ % ARRAY_SIZE(name)];

	if (size >= SZ_1M)
		snprintf(text, sizeof(name[0]), "%zu MiB", size >> 20);
	else
		snprintf(text, sizeof(name[0]), "%zu KiB", size >> 10);
	return text;
}

/* Ask as a device with a mask of @bits. All other rows use 32 bits. */
int with_mask(struct edu *edu, unsigned int bits, struct said *said,
	      int (*run)(struct edu *edu, struct said *said))
{
	int err = dma_set_mask_and_coherent(edu->dev, DMA_BIT_MASK(bits));

	if (err) {
		say(said, "%u bits are refused", bits);
		return err;
	}
	err = run(edu, said);
	return dma_set_mask_and_coherent(edu->dev, DMA_BIT_MASK(32)) ?: err;
}

/*
 * The device reads the end of a mapping and writes it to the start: two transfers, one
 * in each direction. At most half of the mapping is moved.
 */
int moves(struct edu *edu, const struct edu_map *map, bool streaming)
{
	unsigned int len = min_t(size_t, 1021, map->size / 2);
	u32 salt = edu_random(edu, U32_MAX);

	edu_fill(edu, map->mem, map->size, salt, 0);
	if (streaming)
		dma_sync_single_for_device(edu->dev, map->dma, map->size, map->dir);
	if (edu_load(edu, map, map->size - len, 0, len) || edu_store(edu, map, 0, 0, len))
		return -EIO;
	if (streaming)
		dma_sync_single_for_cpu(edu->dev, map->dma, map->size, map->dir);
	if (edu_check(edu, map->mem, len, salt, map->size - len, "moved from end to start"))
		return -EIO;
	return edu_check(edu, map->mem + len, map->size - len, salt, len, "not moved");
}

static bool wanted(const struct row *row)
{
	int i;

	for (i = 0; i < nr_rows; i++) {
		if (!strcmp(rows[i], row->name))
			return true;
	}
	return !nr_rows && !row->extra;
}

static void ask_all(struct edu *edu)
{
	const struct row *row;
	struct said said;
	int ret;

	for (row = table; row < table + ARRAY_SIZE(table); row++) {
		if (!wanted(row))
			continue;
		pr_info("# asking %s\n", row->name);
		said.text[0] = '\0';
		ret = row->ask(edu, &said);
		pr_info("# ROW %s %s %s\n", row->name,
			ret == YES ? "yes" : ret == NOT_HERE ? "-" : "no", said.text);
	}
	pr_info("# STAT dev=edu moved=%llu\n", edu->moved);
	pr_info("# parity: every row was asked\n");
}

static int parity_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct edu *edu;
	int err;

	edu = devm_kzalloc(&pdev->dev, sizeof(*edu), GFP_KERNEL);
	if (!edu)
		return -ENOMEM;
	edu->pdev = pdev;
	edu->dev = &pdev->dev;
	edu->seed = 1;
	prandom_seed_state(&edu->rnd, edu->seed);

	err = pcim_enable_device(pdev);
	if (err)
		return err;
	edu->regs = pcim_iomap(pdev, 0, 0);
	if (!edu->regs)
		return -ENOMEM;
	err = dma_set_mask_and_coherent(edu->dev, DMA_BIT_MASK(32));
	if (err) {
		dev_err(edu->dev, "a mask of 32 bits is refused: %d\n", err);
		return err;
	}
	dma_set_max_seg_size(edu->dev, UINT_MAX);
	pci_set_master(pdev);

	err = edu_device_open(edu);
	if (!err) {
		ask_all(edu);
		edu_device_close(edu);
	}
	pci_clear_master(pdev);
	return err;
}

static const struct pci_device_id parity_ids[] = {
	{ PCI_DEVICE(0x1234, 0x11e8) },
	{ }
};
MODULE_DEVICE_TABLE(pci, parity_ids);

static struct pci_driver parity_driver = {
	.name = KBUILD_MODNAME,
	.id_table = parity_ids,
	.probe = parity_probe,
	.driver = { .probe_type = PROBE_FORCE_SYNCHRONOUS },
};

static int __init parity_init(void)
{
	int i, j;

	for (i = 0; i < nr_rows; i++) {
		for (j = 0; j < ARRAY_SIZE(table) && strcmp(table[j].name, rows[i]); j++)
			;
		if (j < ARRAY_SIZE(table))
			continue;
		pr_err("swiotlb_parity: no row %s\n", rows[i]);
		return -EINVAL;
	}
	if (!pci_dev_present(parity_ids)) {
		pr_err("swiotlb_parity: no edu device: start QEMU with -device edu,dma_mask=0xffffffff\n");
		return -ENODEV;
	}
	return pci_register_driver(&parity_driver);
}
module_init(parity_init);

static void __exit parity_exit(void)
{
	pci_unregister_driver(&parity_driver);
}
module_exit(parity_exit);

MODULE_DESCRIPTION("What a driver may expect of the DMA API");
MODULE_LICENSE("GPL");
