/* OpenSSL's side of the bench: how many certificates it issues, and how many OCSP answers it gives, in one thread and in process.
 *
 * Links with the libcrypto 3 that is installed to run; headers are not needed, what is used of them is declared here.
 *
 *   openssl-issuing ROUNDS MILLISECONDS        prints: issue PER_SECOND, then: ocsp PER_SECOND, of the fastest round each
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

typedef struct evp_pkey_st EVP_PKEY;
typedef struct evp_pkey_ctx_st EVP_PKEY_CTX;
typedef struct evp_md_ctx_st EVP_MD_CTX;
typedef struct evp_md_st EVP_MD;
typedef struct x509_st X509;
typedef struct x509_req_st X509_REQ;
typedef struct x509_name_st X509_NAME;
typedef struct x509_extension_st X509_EXTENSION;
typedef struct asn1_string_st ASN1_STRING;
typedef struct bignum_st BIGNUM;
typedef struct ocsp_request_st OCSP_REQUEST;
typedef struct ocsp_one_request_st OCSP_ONEREQ;
typedef struct ocsp_basic_st OCSP_BASICRESP;
typedef struct ocsp_response_st OCSP_RESPONSE;
typedef struct ocsp_cert_id_st OCSP_CERTID;

EVP_PKEY *EVP_PKEY_Q_keygen(void *libctx, const char *propq, const char *type, ...);
void EVP_PKEY_free(EVP_PKEY *);
const EVP_MD *EVP_sm3(void);
const EVP_MD *EVP_sha1(void);
EVP_MD_CTX *EVP_MD_CTX_new(void);
void EVP_MD_CTX_free(EVP_MD_CTX *);
void EVP_MD_CTX_set_pkey_ctx(EVP_MD_CTX *, EVP_PKEY_CTX *);
EVP_PKEY_CTX *EVP_PKEY_CTX_new(EVP_PKEY *, void *engine);
void EVP_PKEY_CTX_free(EVP_PKEY_CTX *);
int EVP_PKEY_CTX_set1_id(EVP_PKEY_CTX *, const void *id, int length);
int EVP_DigestSignInit(EVP_MD_CTX *, EVP_PKEY_CTX **, const EVP_MD *, void *engine, EVP_PKEY *);
X509 *X509_new(void);
void X509_free(X509 *);
int X509_set_version(X509 *, long);
ASN1_STRING *X509_get_serialNumber(X509 *);
int X509_set_issuer_name(X509 *, const X509_NAME *);
int X509_set_subject_name(X509 *, const X509_NAME *);
X509_NAME *X509_get_subject_name(const X509 *);
ASN1_STRING *X509_getm_notBefore(const X509 *);
ASN1_STRING *X509_getm_notAfter(const X509 *);
ASN1_STRING *X509_gmtime_adj(ASN1_STRING *, long);
int X509_set_pubkey(X509 *, EVP_PKEY *);
int X509_add_ext(X509 *, X509_EXTENSION *, int);
X509_EXTENSION *X509V3_EXT_conf_nid(void *conf, void *ctx, int nid, const char *value);
int OBJ_sn2nid(const char *);
int X509_sign_ctx(X509 *, EVP_MD_CTX *);
int i2d_X509(const X509 *, unsigned char **);
X509_NAME *X509_NAME_new(void);
int X509_NAME_add_entry_by_txt(X509_NAME *, const char *, int type, const unsigned char *, int length, int at, int set);
X509_REQ *X509_REQ_new(void);
void X509_REQ_free(X509_REQ *);
int X509_REQ_set_version(X509_REQ *, long);
int X509_REQ_set_subject_name(X509_REQ *, const X509_NAME *);
X509_NAME *X509_REQ_get_subject_name(const X509_REQ *);
int X509_REQ_set_pubkey(X509_REQ *, EVP_PKEY *);
EVP_PKEY *X509_REQ_get0_pubkey(X509_REQ *);
int X509_REQ_sign_ctx(X509_REQ *, EVP_MD_CTX *);
void X509_REQ_set0_distinguishing_id(X509_REQ *, ASN1_STRING *);
int X509_REQ_verify(X509_REQ *, EVP_PKEY *);
int i2d_X509_REQ(const X509_REQ *, unsigned char **);
X509_REQ *d2i_X509_REQ(X509_REQ **, const unsigned char **, long);
ASN1_STRING *ASN1_OCTET_STRING_new(void);
int ASN1_STRING_set(ASN1_STRING *, const void *, int);
void ASN1_STRING_free(ASN1_STRING *);
BIGNUM *BN_new(void);
void BN_free(BIGNUM *);
int BN_rand(BIGNUM *, int bits, int top, int bottom);
ASN1_STRING *BN_to_ASN1_INTEGER(const BIGNUM *, ASN1_STRING *);
void CRYPTO_free(void *, const char *, int);
OCSP_REQUEST *OCSP_REQUEST_new(void);
void OCSP_REQUEST_free(OCSP_REQUEST *);
OCSP_ONEREQ *OCSP_request_add0_id(OCSP_REQUEST *, OCSP_CERTID *);
OCSP_ONEREQ *OCSP_request_onereq_get0(OCSP_REQUEST *, int);
OCSP_CERTID *OCSP_onereq_get0_id(OCSP_ONEREQ *);
OCSP_CERTID *OCSP_cert_to_id(const EVP_MD *, const X509 *, const X509 *);
int i2d_OCSP_REQUEST(const OCSP_REQUEST *, unsigned char **);
OCSP_REQUEST *d2i_OCSP_REQUEST(OCSP_REQUEST **, const unsigned char **, long);
OCSP_BASICRESP *OCSP_BASICRESP_new(void);
void OCSP_BASICRESP_free(OCSP_BASICRESP *);
void *OCSP_basic_add1_status(OCSP_BASICRESP *, OCSP_CERTID *, int, int, void *, void *, void *);
int OCSP_basic_sign_ctx(OCSP_BASICRESP *, X509 *, EVP_MD_CTX *, void *, unsigned long);
OCSP_RESPONSE *OCSP_response_create(int, OCSP_BASICRESP *);
void OCSP_RESPONSE_free(OCSP_RESPONSE *);
int i2d_OCSP_RESPONSE(const OCSP_RESPONSE *, unsigned char **);

#define EXTENSIONS 3
#define OCSP_NOCERTS 1

static const char identity[] = "1234567812345678";

#define MUST(call) do { if (!(call)) { fprintf(stderr, "openssl: %s failed\n", #call); exit(2); } } while (0)

struct signing { EVP_MD_CTX *md; EVP_PKEY_CTX *key; };

static struct signing begin(EVP_PKEY *key)
{
    struct signing signing;
    MUST(signing.md = EVP_MD_CTX_new());
    MUST(signing.key = EVP_PKEY_CTX_new(key, NULL));
    MUST(EVP_PKEY_CTX_set1_id(signing.key, identity, 16) > 0);
    EVP_MD_CTX_set_pkey_ctx(signing.md, signing.key);
    MUST(EVP_DigestSignInit(signing.md, NULL, EVP_sm3(), NULL, key) > 0);
    return signing;
}

static void end(struct signing signing)
{
    EVP_MD_CTX_free(signing.md);
    EVP_PKEY_CTX_free(signing.key);
}

static X509 *certificate(EVP_PKEY *subject, const X509_NAME *name, const X509_NAME *issuer, EVP_PKEY *key,
                         X509_EXTENSION **extensions, int count)
{
    X509 *made;
    BIGNUM *serial;
    struct signing signing;
    MUST(made = X509_new());
    MUST(serial = BN_new());
    MUST(X509_set_version(made, 2));
    MUST(BN_rand(serial, 126, 0, 0) && BN_to_ASN1_INTEGER(serial, X509_get_serialNumber(made)));
    BN_free(serial);
    MUST(X509_set_issuer_name(made, issuer) && X509_set_subject_name(made, name));
    MUST(X509_gmtime_adj(X509_getm_notBefore(made), 0) && X509_gmtime_adj(X509_getm_notAfter(made), 365L * 86400));
    MUST(X509_set_pubkey(made, subject));
    for (int i = 0; i < count; i++)
        MUST(X509_add_ext(made, extensions[i], -1));
    signing = begin(key);
    MUST(X509_sign_ctx(made, signing.md) > 0);
    end(signing);
    return made;
}

static X509_EXTENSION *extension(const char *type, const char *value)
{
    return X509V3_EXT_conf_nid(NULL, NULL, OBJ_sn2nid(type), value);
}

struct world {
    EVP_PKEY *ca;
    X509_NAME *name;
    X509 *issuer;
    X509_EXTENSION *extensions[EXTENSIONS];
    unsigned char *csr, *question;
    int csr_length, question_length;
};

static void set_up(struct world *world)
{
    EVP_PKEY *holder;
    X509 *issued;
    X509_REQ *request;
    OCSP_REQUEST *question;
    OCSP_CERTID *id;
    struct signing signing;

    MUST(world->ca = EVP_PKEY_Q_keygen(NULL, NULL, "SM2"));
    MUST(holder = EVP_PKEY_Q_keygen(NULL, NULL, "SM2"));
    MUST(world->name = X509_NAME_new());
    MUST(X509_NAME_add_entry_by_txt(world->name, "C", 0x1001, (const unsigned char *)"CN", -1, -1, 0));
    MUST(X509_NAME_add_entry_by_txt(world->name, "CN", 0x1001, (const unsigned char *)"bench", -1, -1, 0));
    MUST(world->extensions[0] = extension("keyUsage", "critical,digitalSignature,nonRepudiation"));
    MUST(world->extensions[1] = extension("crlDistributionPoints", "URI:http://ca.example/testca/1.crl"));
    MUST(world->extensions[2] = extension("authorityInfoAccess", "OCSP;URI:http://ca.example/testca/ocsp"));
    world->issuer = certificate(world->ca, world->name, world->name, world->ca, world->extensions, 0);
    issued = certificate(holder, world->name, world->name, world->ca, world->extensions, EXTENSIONS);

    MUST(request = X509_REQ_new());
    MUST(X509_REQ_set_version(request, 0) && X509_REQ_set_subject_name(request, world->name));
    MUST(X509_REQ_set_pubkey(request, holder));
    signing = begin(holder);
    MUST(X509_REQ_sign_ctx(request, signing.md) > 0);
    end(signing);
    MUST((world->csr_length = i2d_X509_REQ(request, &world->csr)) > 0);

    MUST(question = OCSP_REQUEST_new());
    MUST(id = OCSP_cert_to_id(EVP_sha1(), issued, world->issuer));
    MUST(OCSP_request_add0_id(question, id));
    MUST((world->question_length = i2d_OCSP_REQUEST(question, &world->question)) > 0);
}

/* Reads a request, checks its proof, issues. */
static void issue(const struct world *world)
{
    const unsigned char *bytes = world->csr;
    unsigned char *out = NULL;
    ASN1_STRING *distinguishing = ASN1_OCTET_STRING_new();
    X509_REQ *request = d2i_X509_REQ(NULL, &bytes, world->csr_length);
    EVP_PKEY *key;
    X509 *made;

    MUST(request && distinguishing && ASN1_STRING_set(distinguishing, identity, 16));
    X509_REQ_set0_distinguishing_id(request, distinguishing);
    key = X509_REQ_get0_pubkey(request);
    MUST(X509_REQ_verify(request, key) > 0);
    made = certificate(key, X509_REQ_get_subject_name(request), X509_get_subject_name(world->issuer), world->ca,
                       (X509_EXTENSION **)world->extensions, EXTENSIONS);
    MUST(i2d_X509(made, &out) > 0);
    CRYPTO_free(out, __FILE__, __LINE__);
    X509_free(made);
    X509_REQ_free(request);
}

/* Reads a question, answers it. */
static void answer(const struct world *world)
{
    const unsigned char *bytes = world->question;
    unsigned char *out = NULL;
    OCSP_REQUEST *question = d2i_OCSP_REQUEST(NULL, &bytes, world->question_length);
    OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
    ASN1_STRING *at = X509_gmtime_adj(NULL, 0);
    OCSP_RESPONSE *response;
    struct signing signing;

    MUST(question && basic && at);
    MUST(OCSP_basic_add1_status(basic, OCSP_onereq_get0_id(OCSP_request_onereq_get0(question, 0)), 0, 0, NULL, at, NULL));
    signing = begin(world->ca);
    MUST(OCSP_basic_sign_ctx(basic, world->issuer, signing.md, NULL, OCSP_NOCERTS));
    end(signing);
    MUST(response = OCSP_response_create(0, basic));
    MUST(i2d_OCSP_RESPONSE(response, &out) > 0);
    CRYPTO_free(out, __FILE__, __LINE__);
    ASN1_STRING_free(at);
    OCSP_RESPONSE_free(response);
    OCSP_BASICRESP_free(basic);
    OCSP_REQUEST_free(question);
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
    int rounds = argc > 2 ? atoi(argv[1]) : 5;
    double seconds = argc > 2 ? atof(argv[2]) / 1000 : 0.2;
    const char *names[] = {"issue", "ocsp"};
    void (*operations[])(const struct world *) = {issue, answer};
    struct world world = {0};

    set_up(&world);
    for (int which = 0; which < 2; which++) {
        double best = 0;
        for (int round = 0; round < rounds; round++) {
            double start = now(), rate;
            int count;
            for (count = 0; now() - start < seconds; count++)
                operations[which](&world);
            rate = count / (now() - start);
            best = rate > best ? rate : best;
        }
        printf("%s %.0f\n", names[which], best);
    }
    return 0;
}
