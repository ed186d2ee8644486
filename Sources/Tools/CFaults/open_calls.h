// The names under which programs open files, each handed to the `open_file` of whoever includes this.

#define MODE(flags, mode) \
    mode_t mode = 0; \
    if ((flags) & (O_CREAT | O_TMPFILE)) { \
        va_list list; \
        va_start(list, flags); \
        mode = va_arg(list, mode_t); \
        va_end(list); \
    }

int openat64(int folder, const char *name, int flags, ...)
{
    MODE(flags, mode)
    return open_file(folder, name, flags, mode);
}

int openat(int folder, const char *name, int flags, ...)
{
    MODE(flags, mode)
    return open_file(folder, name, flags, mode);
}

int open64(const char *name, int flags, ...)
{
    MODE(flags, mode)
    return open_file(AT_FDCWD, name, flags, mode);
}

int open(const char *name, int flags, ...)
{
    MODE(flags, mode)
    return open_file(AT_FDCWD, name, flags, mode);
}
