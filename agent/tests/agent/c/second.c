/* A second vendor's library for tests: a copy of the software token's one, with UKeys in a directory of its own.
   What is not here is found in the copy, which this is linked with. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

uint32_t SKF_EnumDev(int32_t present, char *names, uint32_t *size);

#ifdef WAITS_FOR_EVER
/* As a library whose every call waits for this one; here the program ends, so that it is not overlooked. */
uint32_t SKF_WaitForDevEvent(char *name, uint32_t *size, uint32_t *event)
{
    (void)name, (void)size, (void)event;
    abort();
}
#endif

#ifdef CANNOT_WAIT
uint32_t SKF_WaitForDevEvent(char *name, uint32_t *size, uint32_t *event)
{
    (void)name, (void)size, (void)event;
    return 0x0A000003; /* SAR_NOTSUPPORTYETERR */
}
#endif

/* The copy reads the variable in its first call. */
__attribute__((constructor)) static void begin(void)
{
    const char *name = "YINXIN_SOFTSKF_DIR";
    const char *others = getenv(name);
    char *kept = others ? strdup(others) : NULL;
    uint32_t size = 0;
    setenv(name, DIRECTORY, 1);
    SKF_EnumDev(1, NULL, &size);
    if (kept)
        setenv(name, kept, 1);
    else
        unsetenv(name);
    free(kept);
}
