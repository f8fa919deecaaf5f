// SPDX-License-Identifier: GPL-2.0
/*
 * The fake machine from power-on to power-off.
 */
#include "machine.h"

/* Reset all state. No code of the kernel has run then. */
void machine_power_on(const struct machine_config *config)
{
	machine_report_reset();
	machine_sync_reset(config->cpus);
	machine_outside_reset();
	machine_memory_reset(config);
	machine_frames_reset(config);
	core_reset();
}

/* Power-on, boot parameters, the default software IO TLB, initcalls */
void machine_boot(const struct machine_config *config)
{
	machine_power_on(config);
	if (config->param)
		machine_set_param("swiotlb", config->param);
	core_boot(config);
	machine_run_initcalls();
}

/* Finish what is left to do, and check that there were no unexpected warnings. */
void machine_shut_down(void)
{
	machine_work();
	machine_grace_period();
	machine_no_surprises();
}
