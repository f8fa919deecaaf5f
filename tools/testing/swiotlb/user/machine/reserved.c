// SPDX-License-Identifier: GPL-2.0
/*
 * Reserved memory of the device tree. The benchmark uses this file too, once for each of
 * its sides, so the file may use only what shim/reserved.h declares.
 */
#include <linux/of_reserved_mem.h>

static struct {
	const char *compatible;
	const struct reserved_mem_ops *ops;
	int (*setup)(struct reserved_mem *rmem);
} reserved[2];
static unsigned int nr_reserved;
static const char *reserved_property;

void machine_add_reserved_mem(const char *compatible, const void *ops_or_setup, bool is_setup)
{
	reserved[nr_reserved].compatible = compatible;
	if (is_setup)
		reserved[nr_reserved++].setup = ops_or_setup;
	else
		reserved[nr_reserved++].ops = ops_or_setup;
}

/* As drivers/of/of_reserved_mem.c does */
static int setup_by_ops(struct reserved_mem *rmem, const struct reserved_mem_ops *ops)
{
	int err = ops->node_init(rmem->fdt_node, rmem);

	if (!err)
		rmem->ops = ops;
	return err;
}

/* Reserved memory was found in the device tree, with one more property or none. */
int machine_setup_reserved(struct reserved_mem *rmem, const char *compatible,
			   const char *property)
{
	unsigned int i;

	reserved_property = property;
	for (i = 0; i < nr_reserved; i++)
		if (!strcmp(reserved[i].compatible, compatible))
			return reserved[i].ops ? setup_by_ops(rmem, reserved[i].ops) :
						 reserved[i].setup(rmem);
	return -ENOENT;
}

const void *of_get_flat_dt_prop(unsigned long node, const char *name, int *size)
{
	return reserved_property && !strcmp(reserved_property, name) ? "" : NULL;
}
