// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
//
// Which process holds which socket: for every process, each descriptor that is a socket and its inode.
//
// An iterator over tasks walks the table of descriptors by bpf_loop (Linux 5.17).  That takes half as long as an
// iterator over descriptors (task_file), which enters the program anew for each.  The descriptors go into an array
// that user space maps; the iterator's text has a record for every process.  The structures below name what is read
// and nothing else: where it stands is found when the program is loaded (CO-RE).

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;

#define SEC(name) __attribute__((section(name), used))
#define RELOCATED __attribute__((preserve_access_index))
#define READ(into, from) probe_read_kernel(&(into), sizeof(into), __builtin_preserve_access_index(&(from)))

#define FORMAT 0170000 // S_IFMT
#define SOCKET 0140000 // S_IFSOCK

struct seq_file;

// The kernel's helpers by their numbers in linux/bpf.h.
static void *(*map_lookup_elem)(void *map, const void *key) = (void *)1;
static long (*probe_read_kernel)(void *into, u32 size, const void *from) = (void *)113;
static long (*seq_write)(struct seq_file *text, const void *octets, u32 length) = (void *)127;
static long (*loop)(u32 times, void *callback, void *context, u64 flags) = (void *)181;

struct inode { unsigned long i_ino; u16 i_mode; } RELOCATED;
struct file { struct inode *f_inode; } RELOCATED;
struct fdtable { u32 max_fds; struct file **fd; } RELOCATED;
struct files_struct { struct fdtable *fdt; } RELOCATED;
struct task_struct { int pid; int tgid; char comm[16]; struct files_struct *files; } RELOCATED;
struct bpf_iter_meta { struct seq_file *seq; } RELOCATED;
struct bpf_iter__task { struct bpf_iter_meta *meta; struct task_struct *task; } RELOCATED;

struct descriptor {
    u32 inode;
    u32 fd;
};

// BPF_MAP_TYPE_ARRAY, BPF_F_MMAPABLE; how many entries it has is set when it is loaded.
struct {
    int (*type)[2];
    int (*map_flags)[1024];
    int (*max_entries)[1];
    u32 *key;
    struct descriptor *value;
} descriptors SEC(".maps");

u32 used = 0; // also counts what the array had no room for

struct process {
    u32 pid;
    u32 first; // of its descriptors
    u32 count;
    char command[16];
};

static long note(u32 fd, struct file ***table)
{
    struct file *file = 0;
    struct inode *inode = 0;
    u16 mode = 0;
    unsigned long number = 0;

    probe_read_kernel(&file, sizeof file, *table + fd);
    if (!file)
        return 0;
    READ(inode, file->f_inode);
    READ(mode, inode->i_mode);
    if ((mode & FORMAT) != SOCKET)
        return 0;
    READ(number, inode->i_ino);
    u32 slot = used++;
    struct descriptor *place = map_lookup_elem(&descriptors, &slot);
    if (place) {
        place->inode = number;
        place->fd = fd;
    }
    return 0;
}

SEC("iter/task") int holders(struct bpf_iter__task *context)
{
    struct task_struct *task = context->task;
    struct fdtable *table = 0;
    struct file **fds = 0;
    u32 size = 0;

    if (!task || task->pid != task->tgid || !task->files)
        return 0;
    READ(table, task->files->fdt);
    READ(size, table->max_fds);
    READ(fds, table->fd);
    struct process process = { .pid = task->tgid, .first = used };
    loop(size, note, &fds, 0);
    process.count = used - process.first;
    if (!process.count)
        return 0;
    __builtin_memcpy(process.command, task->comm, sizeof process.command);
    seq_write(context->meta->seq, &process, sizeof process);
    return 0;
}

char LICENSE[] SEC("license") = "GPL";
