/* OpenSSL's side of the comparison: judges cases, or signs jobs. The format is in main.rs.
 *
 * Links with the libcrypto 3 that is installed to run; headers are not needed, what is used of them is declared here.
 *
 *   openssl-side verify < cases        openssl-side sign < jobs > cases
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct evp_pkey_st EVP_PKEY;
typedef struct evp_pkey_ctx_st EVP_PKEY_CTX;
typedef struct evp_md_ctx_st EVP_MD_CTX;
typedef struct evp_md_st EVP_MD;

const char *OpenSSL_version(int what);
EVP_PKEY *d2i_PUBKEY(EVP_PKEY **key, const unsigned char **bytes, long length);
EVP_PKEY *d2i_AutoPrivateKey(EVP_PKEY **key, const unsigned char **bytes, long length);
void EVP_PKEY_free(EVP_PKEY *key);
int EVP_PKEY_CTX_set1_id(EVP_PKEY_CTX *ctx, const void *id, int length);
const EVP_MD *EVP_sm3(void);
EVP_MD_CTX *EVP_MD_CTX_new(void);
int EVP_MD_CTX_reset(EVP_MD_CTX *ctx);
int EVP_DigestVerifyInit(EVP_MD_CTX *, EVP_PKEY_CTX **, const EVP_MD *, void *engine, EVP_PKEY *);
int EVP_DigestSignInit(EVP_MD_CTX *, EVP_PKEY_CTX **, const EVP_MD *, void *engine, EVP_PKEY *);
int EVP_DigestVerifyUpdate(EVP_MD_CTX *, const void *, size_t);
int EVP_DigestSignUpdate(EVP_MD_CTX *, const void *, size_t);
int EVP_DigestVerifyFinal(EVP_MD_CTX *, const unsigned char *signature, size_t length);
int EVP_DigestSignFinal(EVP_MD_CTX *, unsigned char *signature, size_t *length);
void ERR_clear_error(void);

static const char identity[] = "1234567812345678";

struct field {
    unsigned char bytes[65536];
    size_t length;
};

static void fail(const char *what)
{
    fprintf(stderr, "openssl: %s failed\n", what);
    exit(2);
}

/* 0 at the end of the stream. */
static int read_field(struct field *field)
{
    int high = getchar(), low = getchar();
    if (high == EOF || low == EOF)
        return 0;
    field->length = (size_t)high << 8 | (size_t)low;
    if (fread(field->bytes, 1, field->length, stdin) != field->length)
        fail("reading a field");
    return 1;
}

static void write_field(const unsigned char *bytes, size_t length)
{
    putchar((int)(length >> 8));
    putchar((int)(length & 0xff));
    if (fwrite(bytes, 1, length, stdout) != length)
        fail("writing a field");
}

/* Whether the key's bytes are those of the last key. */
static int same(struct field *last, const struct field *next)
{
    if (last->length == next->length && memcmp(last->bytes, next->bytes, next->length) == 0)
        return 1;
    last->length = next->length;
    memcpy(last->bytes, next->bytes, next->length);
    return 0;
}

static struct field key_bytes, last_key, public_bytes, message, signature;

static int verify(EVP_MD_CTX *ctx)
{
    EVP_PKEY *key = NULL;
    unsigned long accepted = 0, refused = 0, wrong = 0;
    while (read_field(&key_bytes)) {
        if (!read_field(&message) || !read_field(&signature))
            fail("reading a case");
        int expected = getchar();
        if (!same(&last_key, &key_bytes)) {
            const unsigned char *at = key_bytes.bytes;
            EVP_PKEY_free(key);
            key = d2i_PUBKEY(NULL, &at, (long)key_bytes.length);
            if (key == NULL)
                fail("reading a public key");
        }
        EVP_PKEY_CTX *pctx = NULL;
        EVP_MD_CTX_reset(ctx);
        if (EVP_DigestVerifyInit(ctx, &pctx, EVP_sm3(), NULL, key) != 1
            || EVP_PKEY_CTX_set1_id(pctx, identity, (int)strlen(identity)) != 1
            || EVP_DigestVerifyUpdate(ctx, message.bytes, message.length) != 1)
            fail("starting to verify");
        int judged = EVP_DigestVerifyFinal(ctx, signature.bytes, signature.length) == 1;
        ERR_clear_error();
        accepted += judged == 1;
        refused += judged == 0;
        wrong += judged != expected;
    }
    fprintf(stderr, "openssl: accepted %lu, refused %lu, judged wrongly %lu (%s)\n", accepted, refused, wrong, OpenSSL_version(0));
    return wrong == 0 && accepted > 0 ? 0 : 1;
}

static int sign(EVP_MD_CTX *ctx)
{
    EVP_PKEY *key = NULL;
    unsigned long signed_messages = 0;
    while (read_field(&key_bytes)) {
        if (!read_field(&public_bytes) || !read_field(&message))
            fail("reading a job");
        if (!same(&last_key, &key_bytes)) {
            const unsigned char *at = key_bytes.bytes;
            EVP_PKEY_free(key);
            key = d2i_AutoPrivateKey(NULL, &at, (long)key_bytes.length);
            if (key == NULL)
                fail("reading a private key");
        }
        EVP_PKEY_CTX *pctx = NULL;
        EVP_MD_CTX_reset(ctx);
        signature.length = sizeof signature.bytes;
        if (EVP_DigestSignInit(ctx, &pctx, EVP_sm3(), NULL, key) != 1
            || EVP_PKEY_CTX_set1_id(pctx, identity, (int)strlen(identity)) != 1
            || EVP_DigestSignUpdate(ctx, message.bytes, message.length) != 1
            || EVP_DigestSignFinal(ctx, signature.bytes, &signature.length) != 1)
            fail("signing");
        write_field(public_bytes.bytes, public_bytes.length);
        write_field(message.bytes, message.length);
        write_field(signature.bytes, signature.length);
        putchar(1);
        signed_messages++;
    }
    if (fflush(stdout) != 0)
        fail("writing");
    fprintf(stderr, "openssl: signed %lu (%s)\n", signed_messages, OpenSSL_version(0));
    return signed_messages > 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    if (ctx != NULL && argc == 2 && strcmp(argv[1], "verify") == 0)
        return verify(ctx);
    if (ctx != NULL && argc == 2 && strcmp(argv[1], "sign") == 0)
        return sign(ctx);
    fprintf(stderr, "usage: openssl-side verify | sign\n");
    return 2;
}
