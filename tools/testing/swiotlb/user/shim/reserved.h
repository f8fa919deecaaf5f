/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory that the device tree reserves, and the functions called for it, see
 * machine/reserved.c.
 */
#ifndef _SHIM_RESERVED_H
#define _SHIM_RESERVED_H

struct reserved_mem;

/* The functions for reserved memory. Before node_init() there was a function that set &ops. */
struct reserved_mem_ops {
	int (*node_init)(unsigned long node, struct reserved_mem *rmem);
	int (*device_init)(struct reserved_mem *rmem, struct device *dev);
	void (*device_release)(struct reserved_mem *rmem, struct device *dev);
};

struct reserved_mem {
	const char *name;
	unsigned long fdt_node;
	const struct reserved_mem_ops *ops;
	phys_addr_t base;
	phys_addr_t size;
	void *priv;
};

void machine_add_reserved_mem(const char *compatible, const void *ops_or_setup, bool is_setup);
int machine_setup_reserved(struct reserved_mem *rmem, const char *compatible,
			   const char *property);
const void *of_get_flat_dt_prop(unsigned long node, const char *name, int *size);

#define RESERVEDMEM_OF_DECLARE(label, compatible, ops_or_setup)		\
	static void __attribute__((__constructor__)) add_##label(void)	\
	{								\
		machine_add_reserved_mem(compatible, ops_or_setup,	\
			!__builtin_types_compatible_p(__typeof__(ops_or_setup), \
						      const struct reserved_mem_ops *)); \
	}								\
	struct dentry

#endif
