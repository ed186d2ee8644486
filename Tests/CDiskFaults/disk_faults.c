// Faults of the disk for a whole program: a library for LD_PRELOAD that stands before the system's `write`, `fsync`, `rename` and so on.
//
// It counts the calls that change something below a folder, in all threads, and lets one of them fail because the disk is full. The environment says
// which:
//
//   WAXWING_FAULTS_IN      the folder, an absolute path without links
//   WAXWING_FAULTS_AT      the number of the call that fails, from 1; 0 for none
//   WAXWING_FAULTS_LASTS   where it is there, every later call that takes room fails, too; otherwise all later calls succeed
//   WAXWING_FAULTS_REPORT  a file elsewhere that gets the number of calls when the program ends
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static struct {
    const char *folder;
    long at;
    bool lasts;
} wanted;

static atomic_long calls;

__attribute__((constructor)) static void begin(void)
{
    wanted.folder = getenv("WAXWING_FAULTS_IN");
    const char *at = getenv("WAXWING_FAULTS_AT");
    wanted.at = at ? atol(at) : 0;
    wanted.lasts = getenv("WAXWING_FAULTS_LASTS") != NULL;
}

// By whatever way a program ends: some leave out what is done at exit.
static void report(void)
{
    const char *path = getenv("WAXWING_FAULTS_REPORT");
    if (!path) return;
    int file = (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    char text[32];
    int length = snprintf(text, sizeof text, "%ld", atomic_load(&calls));
    if (file >= 0) syscall(SYS_write, file, text, length);
}

__attribute__((destructor)) static void end(void) { report(); }

void _exit(int status)
{
    report();
    syscall(SYS_exit_group, status);
    __builtin_unreachable();
}

// MARK: Which calls count

static bool is_below(const char *path)
{
    size_t length = wanted.folder ? strlen(wanted.folder) : 0;
    return length > 0 && strncmp(path, wanted.folder, length) == 0 && (path[length] == '/' || path[length] == 0);
}

static bool is_file_below(int descriptor)
{
    if (!wanted.folder) return false;
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return false;
    path[length] = 0;
    return is_below(path);
}

static bool is_name_below(int folder, const char *name)
{
    if (!wanted.folder) return false;
    if (name[0] == '/') return is_below(name);
    if (folder != AT_FDCWD) return is_file_below(folder);
    char path[PATH_MAX];
    return getcwd(path, sizeof path) && is_below(path);
}

// Counts a call and says whether it fails; `takes_room` whether it does so, too, on a disk that stays full.
static bool fails(bool takes_room)
{
    long call = atomic_fetch_add(&calls, 1) + 1;
    if (wanted.at == 0 || call < wanted.at) return false;
    return call == wanted.at || (wanted.lasts && takes_room);
}

static int full(void)
{
    errno = ENOSPC;
    return -1;
}

// MARK: The system's functions

ssize_t write(int descriptor, const void *bytes, size_t count)
{
    if (is_file_below(descriptor) && fails(true)) {
        syscall(SYS_write, descriptor, bytes, count / 2);
        return full();
    }
    return syscall(SYS_write, descriptor, bytes, count);
}

ssize_t pwrite64(int descriptor, const void *bytes, size_t count, off64_t offset)
{
    if (is_file_below(descriptor) && fails(true)) {
        syscall(SYS_pwrite64, descriptor, bytes, count / 2, offset);
        return full();
    }
    return syscall(SYS_pwrite64, descriptor, bytes, count, offset);
}

ssize_t pwrite(int descriptor, const void *bytes, size_t count, off_t offset) { return pwrite64(descriptor, bytes, count, offset); }

int ftruncate64(int descriptor, off64_t size)
{
    struct stat status;
    bool grows = fstat(descriptor, &status) == 0 && size > status.st_size;
    if (is_file_below(descriptor) && fails(grows)) return full();
    return (int)syscall(SYS_ftruncate, descriptor, size);
}

int ftruncate(int descriptor, off_t size) { return ftruncate64(descriptor, size); }

int fsync(int descriptor)
{
    if (is_file_below(descriptor) && fails(false)) return full();
    return (int)syscall(SYS_fsync, descriptor);
}

int fdatasync(int descriptor)
{
    if (is_file_below(descriptor) && fails(false)) return full();
    return (int)syscall(SYS_fdatasync, descriptor);
}

int renameat(int from_folder, const char *from, int to_folder, const char *to)
{
    if (is_name_below(to_folder, to) && fails(true)) return full();
    return (int)syscall(SYS_renameat2, from_folder, from, to_folder, to, 0);
}

int rename(const char *from, const char *to) { return renameat(AT_FDCWD, from, AT_FDCWD, to); }

int linkat(int from_folder, const char *from, int to_folder, const char *to, int flags)
{
    if (is_name_below(to_folder, to) && fails(true)) return full();
    return (int)syscall(SYS_linkat, from_folder, from, to_folder, to, flags);
}

int link(const char *from, const char *to) { return linkat(AT_FDCWD, from, AT_FDCWD, to, 0); }

int mkdirat(int folder, const char *name, mode_t mode)
{
    if (is_name_below(folder, name) && fails(true)) return full();
    return (int)syscall(SYS_mkdirat, folder, name, mode);
}

int mkdir(const char *path, mode_t mode) { return mkdirat(AT_FDCWD, path, mode); }

int mknodat(int folder, const char *name, mode_t mode, dev_t device)
{
    if (is_name_below(folder, name) && fails(true)) return full();
    return (int)syscall(SYS_mknodat, folder, name, mode, device);
}

int mknod(const char *path, mode_t mode, dev_t device) { return mknodat(AT_FDCWD, path, mode, device); }

static int open_file(int folder, const char *name, int flags, mode_t mode)
{
    struct stat status;
    if (flags & O_CREAT && is_name_below(folder, name) && fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) != 0 && fails(true))
        return full();
    return (int)syscall(SYS_openat, folder, name, flags, mode);
}

#include "../../Sources/Tools/CFaults/open_calls.h"
