#define _GNU_SOURCE
#include "faults.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

// What was done and is not safe yet. The list begins with the latest.
struct step {
    enum { DATA, CREATE, RENAME, UNLINK } kind;
    struct step *before;
    char path[PATH_MAX];  // RENAME: where it went
    char from[PATH_MAX];  // RENAME
    char saved[PATH_MAX]; // RENAME, UNLINK: a link to the file that lost its name; DATA: to the file; empty where there was none
    bool kept;            // while the power goes: it had come to the disk by itself
    dev_t device;         // DATA
    ino_t inode;
    off_t size; // DATA: of the whole file before
    off_t offset;
    size_t length;
    char *bytes;
};

static _Thread_local struct {
    bool armed, dead;
    enum waxwing_fault_mode mode;
    uint64_t at, calls, links;
    int error;
    char scratch[PATH_MAX - 32];
    struct step *steps;
} state;

void waxwing_faults_arm(enum waxwing_fault_mode mode, uint64_t at, int error, const char *scratch)
{
    waxwing_faults_forget();
    state.mode = mode;
    state.at = at;
    state.error = error;
    state.calls = 0;
    state.dead = false;
    snprintf(state.scratch, sizeof state.scratch, "%s", scratch);
    state.armed = true;
}

uint64_t waxwing_faults_disarm(void)
{
    state.armed = false;
    return state.calls;
}

// Whether the call that is about to be made fails; `torn` says whether it does half of its work first.
static bool fails(bool *torn)
{
    *torn = false;
    if (!state.armed) return false;
    state.calls++;
    if (state.dead) {
        errno = EIO;
        return true;
    }
    if (state.mode == WAXWING_FAULT_COUNT || state.calls != state.at) return false;
    *torn = true;
    state.dead = state.mode == WAXWING_FAULT_CRASH;
    return true;
}

static int failure(bool torn)
{
    errno = torn && state.mode == WAXWING_FAULT_ONCE ? state.error : EIO;
    return -1;
}

// MARK: Paths

static void path_of(int descriptor, char *path)
{
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, path, PATH_MAX - 1);
    path[length < 0 ? 0 : length] = 0;
}

static void path_at(int folder, const char *name, char *path)
{
    char base[PATH_MAX];
    if (name[0] == '/') {
        snprintf(path, PATH_MAX, "%s", name);
        return;
    }
    if (folder == AT_FDCWD) {
        if (!getcwd(base, sizeof base)) base[0] = 0;
    } else {
        path_of(folder, base);
    }
    if (snprintf(path, PATH_MAX, "%s/%s", base, name) >= PATH_MAX) path[0] = 0;
}

static bool is_in(const char *path, const char *folder)
{
    size_t length = strlen(folder);
    return strncmp(path, folder, length) == 0 && path[length] == '/' && !strchr(path + length + 1, '/');
}

// MARK: What can be taken back

static struct step *remember(int kind)
{
    struct step *step = calloc(1, sizeof *step);
    if (!step) abort();
    step->kind = kind;
    step->before = state.steps;
    state.steps = step;
    return step;
}

static void save_link(const char *path, char *saved)
{
    snprintf(saved, PATH_MAX, "%s/%llu", state.scratch, (unsigned long long)state.links++);
    if (syscall(SYS_linkat, AT_FDCWD, path, AT_FDCWD, saved, 0) != 0) saved[0] = 0;
}

// The content from `offset` on, up to `length` bytes, is about to change.
static void remember_data(int descriptor, off_t offset, size_t length)
{
    struct stat status;
    if (!state.armed || fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode)) return;
    struct step *step = remember(DATA);
    path_of(descriptor, step->path);
    step->device = status.st_dev;
    step->inode = status.st_ino;
    step->size = status.st_size;
    step->offset = offset;
    save_link(step->path, step->saved);
    if (offset >= status.st_size) return;
    step->length = (off_t)length > status.st_size - offset ? (size_t)(status.st_size - offset) : length;
    step->bytes = malloc(step->length);
    // The descriptor may be for writing only.
    int reader = (int)syscall(SYS_openat, AT_FDCWD, step->path, O_RDONLY | O_CLOEXEC, 0);
    if (!step->bytes || reader < 0 || pread(reader, step->bytes, step->length, offset) != (ssize_t)step->length) abort();
    close(reader);
}

static void remember_create(int folder, const char *name)
{
    path_at(folder, name, remember(CREATE)->path);
}

static void drop(bool (*is_safe)(const struct step *, const void *), const void *what)
{
    for (struct step **place = &state.steps; *place;) {
        struct step *step = *place;
        if (is_safe(step, what)) {
            *place = step->before;
            if (step->saved[0]) syscall(SYS_unlinkat, AT_FDCWD, step->saved, 0);
            free(step->bytes);
            free(step);
        } else {
            place = &step->before;
        }
    }
}

static bool is_data_of(const struct step *step, const void *file)
{
    const struct stat *status = file;
    return step->kind == DATA && step->device == status->st_dev && step->inode == status->st_ino;
}

static bool is_name_in(const struct step *step, const void *folder) { return step->kind != DATA && is_in(step->path, folder); }

static bool is_any(const struct step *step, const void *nothing)
{
    (void)step;
    (void)nothing;
    return true;
}

void waxwing_faults_forget(void) { drop(is_any, NULL); }

static void synced(int descriptor)
{
    struct stat status;
    if (!state.armed || fstat(descriptor, &status) != 0) return;
    if (S_ISDIR(status.st_mode)) {
        char path[PATH_MAX];
        path_of(descriptor, path);
        drop(is_name_in, path);
    } else {
        drop(is_data_of, &status);
    }
}

// The same choices from the same seed.
static bool tosses(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return *seed >> 63;
}

// Whether a step stays: what came before one that stays, in the same file or among the names, stays too.
static bool stays(const struct step *step, uint64_t *seed)
{
    for (const struct step *later = state.steps; later != step; later = later->before) {
        bool is_same = step->kind == DATA
            ? later->kind == DATA && later->device == step->device && later->inode == step->inode
            : later->kind != DATA;
        if (is_same && later->kept) return true;
    }
    return tosses(seed);
}

bool waxwing_faults_lose_unsynced(void) { return waxwing_faults_lose_some_unsynced(0); }

bool waxwing_faults_lose_some_unsynced(uint64_t seed)
{
    bool done = true;
    bool all = seed == 0;
    for (struct step *step = state.steps; step; step = step->before) {
        step->kept = !all && stays(step, &seed);
        if (step->kept) continue;
        switch (step->kind) {
        case DATA: {
            // Its name may be another one by now.
            const char *path = step->saved[0] ? step->saved : step->path;
            int file = (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CLOEXEC, 0);
            if (file < 0) break; // It has lost its name for good.
            if (step->length && syscall(SYS_pwrite64, file, step->bytes, step->length, step->offset) != (long)step->length)
                done = false;
            if (syscall(SYS_ftruncate, file, step->size) != 0) done = false;
            close(file);
            break;
        }
        case CREATE: syscall(SYS_unlinkat, AT_FDCWD, step->path, 0); break;
        case RENAME:
            if (syscall(SYS_renameat2, AT_FDCWD, step->path, AT_FDCWD, step->from, 0) != 0) done = false;
            if (step->saved[0] && syscall(SYS_renameat2, AT_FDCWD, step->saved, AT_FDCWD, step->path, 0) != 0) done = false;
            step->saved[0] = 0;
            break;
        case UNLINK:
            if (!step->saved[0] || syscall(SYS_renameat2, AT_FDCWD, step->saved, AT_FDCWD, step->path, 0) != 0) done = false;
            step->saved[0] = 0;
            break;
        }
    }
    waxwing_faults_forget();
    return done;
}

// MARK: The system's functions

ssize_t write(int descriptor, const void *bytes, size_t count)
{
    bool torn;
    if (!state.armed) return syscall(SYS_write, descriptor, bytes, count);
    struct stat status;
    // Pipes and terminals are no part of this.
    if (fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode)) return syscall(SYS_write, descriptor, bytes, count);
    if (fails(&torn)) {
        if (torn) {
            remember_data(descriptor, lseek(descriptor, 0, SEEK_CUR), count / 2);
            syscall(SYS_write, descriptor, bytes, count / 2);
        }
        return failure(torn);
    }
    remember_data(descriptor, lseek(descriptor, 0, SEEK_CUR), count);
    return syscall(SYS_write, descriptor, bytes, count);
}

ssize_t pwrite64(int descriptor, const void *bytes, size_t count, off64_t offset)
{
    bool torn;
    if (fails(&torn)) {
        if (torn) {
            remember_data(descriptor, offset, count / 2);
            syscall(SYS_pwrite64, descriptor, bytes, count / 2, offset);
        }
        return failure(torn);
    }
    remember_data(descriptor, offset, count);
    return syscall(SYS_pwrite64, descriptor, bytes, count, offset);
}

ssize_t pwrite(int descriptor, const void *bytes, size_t count, off_t offset)
{
    return pwrite64(descriptor, bytes, count, offset);
}

int ftruncate64(int descriptor, off64_t size)
{
    bool torn;
    if (fails(&torn)) return failure(torn);
    remember_data(descriptor, size, SIZE_MAX / 2);
    return (int)syscall(SYS_ftruncate, descriptor, size);
}

int ftruncate(int descriptor, off_t size) { return ftruncate64(descriptor, size); }

int fsync(int descriptor)
{
    bool torn;
    if (fails(&torn)) return failure(torn);
    int result = (int)syscall(SYS_fsync, descriptor);
    if (result == 0) synced(descriptor);
    return result;
}

int fdatasync(int descriptor)
{
    bool torn;
    if (fails(&torn)) return failure(torn);
    int result = (int)syscall(SYS_fdatasync, descriptor);
    if (result == 0) synced(descriptor);
    return result;
}

int renameat(int from_folder, const char *from, int to_folder, const char *to)
{
    bool torn;
    if (fails(&torn)) return failure(torn);
    struct step *step = NULL;
    if (state.armed) {
        step = remember(RENAME);
        path_at(from_folder, from, step->from);
        path_at(to_folder, to, step->path);
        save_link(step->path, step->saved);
    }
    return (int)syscall(SYS_renameat2, from_folder, from, to_folder, to, 0);
}

int rename(const char *from, const char *to) { return renameat(AT_FDCWD, from, AT_FDCWD, to); }

int unlinkat(int folder, const char *name, int flags)
{
    bool torn;
    if (flags != 0) return (int)syscall(SYS_unlinkat, folder, name, flags);
    if (fails(&torn)) return failure(torn);
    if (state.armed) {
        struct step *step = remember(UNLINK);
        path_at(folder, name, step->path);
        save_link(step->path, step->saved);
        if (!step->saved[0]) {
            // There is no such file.
            state.steps = step->before;
            free(step);
        }
    }
    return (int)syscall(SYS_unlinkat, folder, name, 0);
}

int unlink(const char *path) { return unlinkat(AT_FDCWD, path, 0); }

int mknodat(int folder, const char *name, mode_t mode, dev_t device)
{
    bool torn;
    if (fails(&torn)) return failure(torn);
    int result = (int)syscall(SYS_mknodat, folder, name, mode, device);
    if (result == 0 && state.armed) remember_create(folder, name);
    return result;
}

int mknod(const char *path, mode_t mode, dev_t device) { return mknodat(AT_FDCWD, path, mode, device); }

static int open_file(int folder, const char *name, int flags, mode_t mode)
{
    bool torn;
    if (!state.armed || !(flags & (O_CREAT | O_TRUNC))) return (int)syscall(SYS_openat, folder, name, flags, mode);
    int there = (int)syscall(SYS_openat, folder, name, O_RDWR | O_CLOEXEC | (flags & O_NOFOLLOW), 0);
    if (there >= 0) {
        if (flags & O_TRUNC) {
            if (fails(&torn)) {
                close(there);
                return failure(torn);
            }
            remember_data(there, 0, SIZE_MAX / 2);
        }
        close(there);
        return (int)syscall(SYS_openat, folder, name, flags, mode);
    }
    if (fails(&torn)) return failure(torn);
    int result = (int)syscall(SYS_openat, folder, name, flags, mode);
    if (result >= 0) remember_create(folder, name);
    return result;
}

#include "open_calls.h"
