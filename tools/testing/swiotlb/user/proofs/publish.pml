/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a CPU sees of a mapping that another CPU has made: the barriers of
 * alloc_slots() and swiotlb_used_by(), and the publication of pools.
 *
 * CPU 0 adds a pool, and may have used the device before. It does not depend on the other
 * CPUs. CPU 1 maps: it finds the pool in the table, or finds it as the very first pool, or
 * makes a transient one. It does not store again what CPU 0 has stored. It then hands the
 * address over to CPU 2. CPU 2 loads whether the device needs syncs and whether it uses
 * the software IO TLB. It also looks for the pool and the record.
 *
 * The memory is weaker than any that Linux runs on. A store reaches each CPU at another
 * time, so two CPUs may see two stores in different orders. Each variable is stored to
 * once, so "seen[cpu]" is a set of variables. Barriers:
 *
 *	release store	reaches a CPU after all that the storing CPU had seen
 *	smp_wmb()	what is stored later reaches a CPU after what this one has stored
 *	smp_mb()	waits until all that this CPU has seen has reached everybody
 *	loads		in any order, but for addresses that depend on a load, smp_rmb() and
 *			load-acquire
 *
 * Options: WITHOUT_MB, WITHOUT_RMB; WMB and RELEASE instead of smp_mb(); a driver that
 * hands over by release and acquire (DRIVER_ORDERS), or by a plain store and load.
 *
 * holds:	plain			CHECK_USES CHECK_POOL
 * broken:	plain_uses_no_mb	CHECK_USES WITHOUT_MB
 * broken:	plain_pool_no_mb	CHECK_POOL WITHOUT_MB
 * broken:	plain_uses_no_rmb	CHECK_USES WITHOUT_RMB
 * broken:	plain_pool_no_rmb	CHECK_POOL WITHOUT_RMB
 * broken:	plain_uses_wmb		CHECK_USES WMB
 * broken:	plain_pool_wmb		CHECK_POOL WMB
 * holds:	plain_release		CHECK_USES CHECK_POOL RELEASE
 * broken:	table_without_release	CHECK_POOL PLAIN_TABLE
 * broken:	pool_without_release	CHECK_POOL PLAIN_FIRST
 *
 * If a driver does not order its handover, two things may be missing: what is loaded
 * before swiotlb_used_by(), and what is stored after alloc_slots():
 *
 * broken:	plain_need_sync		CHECK_NEED_SYNC
 * broken:	plain_record		CHECK_RECORD
 *
 * If a driver orders its handover, nothing is missing, even without the barriers:
 *
 * holds:	ordered_all		DRIVER_ORDERS CHECK_USES CHECK_POOL CHECK_NEED_SYNC CHECK_RECORD
 * holds:	ordered_no_barriers	DRIVER_ORDERS CHECK_USES CHECK_POOL CHECK_NEED_SYNC CHECK_RECORD WITHOUT_MB WITHOUT_RMB
 */

/* Variables: each one is a bit of a set */
#define USES		1	/* dev->dma_uses_io_tlb */
#define NEED_SYNC	2	/* !dev->dma_skip_sync */
#define POOL		4	/* contents of the pool, as init makes them */
#define TABLE		8	/* contents of the table that has the pool */
#define POOLS		16	/* mem->pools points to that table */
#define FIRST		32	/* mem->defpool points to the pool */
#define NODE		64	/* bucket points to the transient pool */
#define RECORD		128	/* slot record of the mapping */
#define HANDOVER	256	/* the driver's own variable */
#define ALL		511

short seen[3];			/* what has reached each CPU; CPU 0 has what it stored */
short stored;			/* by anybody */
short waits[9];			/* what has to reach a CPU before variable i does */

#define HAS(cpu, var)	((seen[cpu] & (var)) == (var))

/* --- stores --- */

inline store(cpu, i, after)
{
	d_step {
		waits[i] = after & ~(1 << i);
		stored = stored | 1 << i;
		seen[cpu] = seen[cpu] | 1 << i
	}
}

/* The memory: one store reaches one CPU. */
active proctype memory()
{
	byte cpu, i;

end:	do
	:: atomic {
		(stored & ~(seen[1] & seen[2])) != 0 ->
		select(cpu : 1 .. 2);
		select(i : 0 .. 8);
		if
		:: (stored & 1 << i) && !(seen[cpu] & 1 << i) &&
		   (waits[i] & ~seen[cpu]) == 0 ->
			seen[cpu] = seen[cpu] | 1 << i
		:: else
		fi;
		cpu = 0;
		i = 0
	   }
	od
}

/* Wait until what CPU 1 has seen has reached CPU 2 */
#define MB	((seen[1] & ~seen[2]) == 0)

#if defined(WITHOUT_MB) || defined(WMB) || defined(RELEASE)
#define BARRIER		skip
#else
#define BARRIER		MB
#endif

/* What has to reach a CPU before what is stored after the barrier */
#ifdef WMB
#define BEFORE		own
#else
#ifdef RELEASE
#define BEFORE		seen[1]
#else
#define BEFORE		0
#endif
#endif

#ifdef DRIVER_ORDERS
#define HANDOVER_AFTER	seen[1]
#define ACQUIRES	true
#else
#define HANDOVER_AFTER	before
#define ACQUIRES	false
#endif

#ifdef WITHOUT_RMB
#define RMB		false
#else
#define RMB		true
#endif

#ifdef PLAIN_TABLE
#define POOLS_AFTER	0
#else
#define POOLS_AFTER	seen[0]
#endif

#ifdef PLAIN_FIRST
#define FIRST_AFTER	0
#else
#define FIRST_AFTER	seen[0]
#endif

bool transient;		/* the mapping gets a pool of its own */
bool other_user;	/* CPU 0 has used the device */
bool very_first;	/* there was no pool before */

/*
 * Stores that follow each other are one step: the memory decides when each reaches a CPU.
 *
 * swiotlb_publish(), and a mapping for the same device
 */
active proctype adds()
{
	atomic {
		select(very_first : 0 .. 1);
		select(other_user : 0 .. 1);
		select(transient : 0 .. 1);
		if
		:: other_user -> store(0, 0, 0); store(0, 1, 0)
		:: else
		fi;
		if
		:: !transient ->
			store(0, 2, 0);
			store(0, 3, 0);
			store(0, 4, POOLS_AFTER)
		:: else
		fi;
		if
		:: !transient && very_first -> store(0, 5, FIRST_AFTER)
		:: else
		fi;
		run maps();
		run syncs()
	}
}

/* alloc_slots(), then map_single(), then the driver */
proctype maps()
{
	short own, before;

	if
	:: transient ->
		atomic {
			store(1, 2, 0);
			store(1, 6, seen[1]);		/* list_add_rcu() */
			own = POOL | NODE
		}
	:: !transient && very_first && HAS(1, FIRST)
	:: !transient && !very_first && HAS(1, POOLS)
	fi;
	/* The first user of the device stores the flags. A later user finds them stored. */
	if
	:: !other_user ->
		atomic {
			store(1, 0, 0);
			store(1, 1, 0);
			own = own | USES | NEED_SYNC
		}
	:: other_user && HAS(1, USES | NEED_SYNC)
	fi;
	BARRIER;
	atomic {
		before = BEFORE;
		own = 0;
		store(1, 7, before);
		store(1, 8, HANDOVER_AFTER)
	}
}

/* What CPU 2 loads, and what it must have loaded before that */
#define MAY_LOAD(what)	(!(loaded & (what)) &&						\
	(!(ACQUIRES && what != HANDOVER) || (loaded & HANDOVER)) &&		\
	(!(RMB && what != NEED_SYNC && what != HANDOVER) || (loaded & HANDOVER)))

inline load(what)
{
	atomic {
		MAY_LOAD(what) ->
		loaded = loaded | (what);
		got = got | (seen[2] & (what))
	}
}

/* Load data behind a pointer, which cannot be loaded before the pointer. */
inline load_behind(what, pointer)
{
	atomic {
		MAY_LOAD(what) && (got & (pointer)) ->
		loaded = loaded | (what);
		got = got | (seen[2] & (what))
	}
}

#define FOUND	((got & (NODE | POOL)) == (NODE | POOL) ||		\
		 (got & (FIRST | POOL)) == (FIRST | POOL) ||		\
		 (got & (POOLS | TABLE | POOL)) == (POOLS | TABLE | POOL))

#ifdef CHECK_USES
#define USES_OK		(got & USES)
#else
#define USES_OK		true
#endif
#ifdef CHECK_NEED_SYNC
#define NEED_SYNC_OK	(got & NEED_SYNC)
#else
#define NEED_SYNC_OK	true
#endif
#ifdef CHECK_POOL
#define POOL_OK		FOUND
#else
#define POOL_OK		true
#endif
#ifdef CHECK_RECORD
#define RECORD_OK	(!FOUND || (got & RECORD))
#else
#define RECORD_OK	true
#endif

/* dma_sync_single_for_cpu(), or the like; it looks for everything. */
proctype syncs()
{
	short loaded, got;

	do
	:: load(HANDOVER)
	:: load(NEED_SYNC)
	:: load(USES)
	:: load(FIRST)
	:: load(POOLS)
	:: load(NODE)
	:: load_behind(TABLE, POOLS)
	:: load_behind(POOL, FIRST | NODE | TABLE)
	:: load_behind(RECORD, POOL)
	:: (loaded & (HANDOVER | NEED_SYNC | USES | FIRST | POOLS | NODE)) ==
		(HANDOVER | NEED_SYNC | USES | FIRST | POOLS | NODE) &&
	   (!(got & POOLS) || (loaded & TABLE)) &&
	   (!(got & (FIRST | NODE | TABLE)) || (loaded & POOL)) &&
	   (!(got & POOL) || (loaded & RECORD)) -> break
	od;
	if
	:: got & HANDOVER ->
		assert(USES_OK);
		assert(NEED_SYNC_OK);
		assert(POOL_OK);
		assert(RECORD_OK)
	:: else
	fi
}
