/* Loaded into a process with LD_PRELOAD, to make the disk of one directory full for that process alone. Unlike a small file system it
   needs no right to mount. While the file $FULL_DISK_SWITCH exists, writes to files below $FULL_DISK_UNDER fail with ENOSPC. If the file
   is executable, statfs also reports no free space. It compiles without headers. */
extern long syscall(long number, ...);
extern char *getenv(const char *name);
extern int *__errno_location(void);

#if defined(__x86_64__)
enum { call_write = 1, call_pwrite = 18, call_writev = 20, call_pwritev = 296, call_ftruncate = 77, call_statfs = 137,
       call_readlinkat = 267, call_faccessat = 269 };
#else /* the generic table: arm64, riscv64 */
enum { call_write = 64, call_pwrite = 68, call_writev = 66, call_pwritev = 70, call_ftruncate = 46, call_statfs = 43,
       call_readlinkat = 78, call_faccessat = 48 };
#endif
enum { here = -100, exists = 0, executable = 1, no_space = 28 };

static int switched(int mode) {
  const char *path = getenv("FULL_DISK_SWITCH");
  int before = *__errno_location();
  int result = path != 0 && syscall(call_faccessat, (long)here, path, (long)mode) == 0;
  *__errno_location() = before;
  return result;
}

static int is_under(const char *path, long length) {
  const char *under = getenv("FULL_DISK_UNDER");
  long at = 0;
  if (under == 0) return 0;
  for (; under[at] != 0; at++)
    if (at >= length || path[at] != under[at]) return 0;
  return 1;
}

static int is_full(int file) {
  char link[32] = "/proc/self/fd/", digits[12], path[512];
  int count = 0, at = 14, number = file;
  long length;
  if (file < 0 || !switched(exists)) return 0;
  do digits[count++] = (char)('0' + number % 10); while ((number /= 10) > 0);
  while (count > 0) link[at++] = digits[--count];
  link[at] = 0;
  length = syscall(call_readlinkat, (long)here, link, path, (long)sizeof path);
  if (!is_under(path, length)) return 0;
  *__errno_location() = no_space;
  return 1;
}

long write(int file, const void *bytes, unsigned long count) {
  return is_full(file) ? -1 : syscall(call_write, (long)file, bytes, count);
}
long writev(int file, const void *parts, int count) {
  return is_full(file) ? -1 : syscall(call_writev, (long)file, parts, (long)count);
}
long pwrite(int file, const void *bytes, unsigned long count, long from) {
  return is_full(file) ? -1 : syscall(call_pwrite, (long)file, bytes, count, from);
}
long pwrite64(int file, const void *bytes, unsigned long count, long from) { return pwrite(file, bytes, count, from); }
long pwritev(int file, const void *parts, int count, long from) {
  return is_full(file) ? -1 : syscall(call_pwritev, (long)file, parts, (long)count, from, 0L);
}
long pwritev64(int file, const void *parts, int count, long from) { return pwritev(file, parts, count, from); }

/* The fields of struct statfs are of the size of long: type, block size, blocks, free, available. */
int statfs(const char *path, long *result) {
  long length = 0;
  int answer = (int)syscall(call_statfs, path, result);
  while (path[length] != 0) length++;
  if (answer == 0 && is_under(path, length) && switched(executable)) result[3] = result[4] = 0;
  return answer;
}
int statfs64(const char *path, long *result) { return statfs(path, result); }
