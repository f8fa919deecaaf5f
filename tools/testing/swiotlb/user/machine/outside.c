// SPDX-License-Identifier: GPL-2.0
/*
 * How the kernel calls the software IO TLB, and what that shows to users: boot
 * parameters, initcalls, debugfs.
 */
#include "machine.h"

#define MAX_FILES	16

static struct {
	const char *name;
	int (*parse)(char *value);
} params[4];
static unsigned int nr_params;

static int (*initcalls[4])(void);
static unsigned int nr_initcalls;

struct dentry {
	const char *dir;
	const char *name;
	void *data;
	const struct file_operations *fops;	/* NULL for a plain unsigned long */
};

static struct dentry files[MAX_FILES];
static unsigned int nr_files;

void machine_add_param(const char *name, int (*parse)(char *value))
{
	params[nr_params].name = name;
	params[nr_params++].parse = parse;
}

/* Like the kernel, give the parser a copy that it may change. */
int machine_set_param(const char *name, const char *value)
{
	char *copy = strdup(value);
	unsigned int i;
	int ret = -ENOENT;

	for (i = 0; i < nr_params; i++)
		if (!strcmp(params[i].name, name))
			ret = params[i].parse(copy);
	free(copy);
	return ret;
}

void machine_add_initcall(int (*call)(void))
{
	initcalls[nr_initcalls++] = call;
}

void machine_run_initcalls(void)
{
	unsigned int i;

	for (i = 0; i < nr_initcalls; i++)
		if (initcalls[i]())
			machine_fail("an initcall failed");
}

/* --- numbers in text --- */

/* Accepts an unsigned number, maybe with a plus in front and a newline behind it. */
int kstrtoul(const char *text, unsigned int base, unsigned long *value)
{
	char *end;

	if (*text == '+')
		text++;
	if (*text < '0' || *text > '9')
		return -EINVAL;
	errno = 0;
	*value = strtoul(text, &end, base);
	if (*end == '\n')
		end++;
	if (*end)
		return -EINVAL;
	return errno == ERANGE ? -ERANGE : 0;
}

unsigned long simple_strtoul(const char *text, char **end, unsigned int base)
{
	return strtoul(text, end, base);
}

/* --- debugfs --- */

static struct dentry *add_file(struct dentry *parent, const char *name, void *data,
			       const struct file_operations *fops)
{
	if (nr_files == MAX_FILES)
		machine_fail("too many debugfs files");
	files[nr_files] = (struct dentry){ parent ? parent->name : "", name, data, fops };
	return &files[nr_files++];
}

struct dentry *debugfs_create_dir(const char *name, struct dentry *parent)
{
	return add_file(parent, name, NULL, NULL);
}

void debugfs_create_ulong(const char *name, unsigned int mode, struct dentry *parent,
			  unsigned long *value)
{
	add_file(parent, name, value, NULL);
}

struct dentry *debugfs_create_file(const char *name, unsigned int mode, struct dentry *parent,
				   void *data, const struct file_operations *fops)
{
	return add_file(parent, name, data, fops);
}

static struct dentry *find_file(const char *dir, const char *name)
{
	unsigned int i;

	for (i = 0; i < nr_files; i++)
		if (!strcmp(files[i].dir, dir) && !strcmp(files[i].name, name))
			return &files[i];
	return NULL;
}

bool machine_read_counter(const char *dir, const char *name, u64 *value)
{
	struct dentry *file = find_file(dir, name);

	if (!file || !file->data)
		return false;
	if (file->fops)
		return !file->fops->get(file->data, value);
	*value = READ_ONCE(*(unsigned long *)file->data);
	return true;
}

int machine_write_counter(const char *dir, const char *name, u64 value)
{
	struct dentry *file = find_file(dir, name);

	return file && file->fops && file->fops->set ? file->fops->set(file->data, value)
						      : -EACCES;
}

void machine_outside_reset(void)
{
	nr_files = 0;
}
