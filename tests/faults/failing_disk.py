"""A small library that is put under a process and makes its disk fail, whenever a file of that name stands in a folder.

`EIO` makes syncing fail, `ENOSPC` writing. Only files are meant whose path holds `FAULT_PATH`.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

_SOURCE = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static int faulty(int fd, const char *fault) {
    char flag[512], link[64], path[512];
    snprintf(flag, sizeof flag, "%s/%s", getenv("FAULT_FOLDER"), fault);
    if (access(flag, F_OK)) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof path - 1);
    if (n < 0) return 0;
    path[n] = 0;
    return strstr(path, getenv("FAULT_PATH")) != NULL;
}

#define REAL(name) static __typeof__(name) *real; if (!real) real = dlsym(RTLD_NEXT, #name)
#define FAIL(fd, fault, error) if (faulty(fd, fault)) { errno = error; return -1; }

int fsync(int fd) { REAL(fsync); FAIL(fd, "EIO", EIO) return real(fd); }
int fdatasync(int fd) { REAL(fdatasync); FAIL(fd, "EIO", EIO) return real(fd); }
ssize_t pwrite(int fd, const void *b, size_t n, off_t o) {
    REAL(pwrite); FAIL(fd, "ENOSPC", ENOSPC) return real(fd, b, n, o); }
ssize_t pwrite64(int fd, const void *b, size_t n, off64_t o) {
    REAL(pwrite64); FAIL(fd, "ENOSPC", ENOSPC) return real(fd, b, n, o); }
ssize_t write(int fd, const void *b, size_t n) { REAL(write); FAIL(fd, "ENOSPC", ENOSPC) return real(fd, b, n); }
"""


class NoCompilerError(Exception):
    """There is no C compiler here, so the disk cannot be made to fail."""


def build(folder: Path) -> Path:
    """Compile the library in a folder.

    Raises:
        NoCompilerError: there is neither `cc` nor `gcc`.
    """
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        raise NoCompilerError("no C compiler `cc` here: the disk cannot be made to fail")
    source, library = folder / "failing_disk.c", folder / "failing_disk.so"
    source.write_text(_SOURCE)
    subprocess.run([compiler, "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    return library


def under(library: Path, folder: Path, path: str) -> dict[str, str]:
    """Return what a process's environment needs: `folder` is where faults are switched on, `path` names its files."""
    return {"LD_PRELOAD": str(library), "FAULT_FOLDER": str(folder), "FAULT_PATH": path}
