/* Tells valgrind that what getrandom answers is a secret: memory that nothing may branch on and nothing may be found by.
 * Preloaded into the example `secrets`; docs/decisions/0005-own-sm2-arithmetic.md says how. */
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>
#include <valgrind/memcheck.h>

ssize_t getrandom(void *bytes, size_t length, unsigned flags)
{
    ssize_t written = syscall(SYS_getrandom, bytes, length, flags);
    /* The standard library asks for 16 bytes to seed its hash tables; a secret has 32. */
    if (written == 32)
        VALGRIND_MAKE_MEM_UNDEFINED(bytes, 32);
    return written;
}
