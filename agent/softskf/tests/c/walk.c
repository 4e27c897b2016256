/*
 * Walks the usual call orders of GM/T 0016 through a library that is loaded at run time, as other software does.
 *
 *   walk LIBRARY make DIRECTORY     an application, a container, a signing key, a signature
 *   walk LIBRARY import DIRECTORY   certificates, the enveloped encryption key, decryption, files
 *   walk LIBRARY lock DIRECTORY     wrong PINs until the token is locked, and out of it
 *   walk LIBRARY pull DIRECTORY     with YINXIN_SOFTSKF_FAULT: what is left of a token that is pulled
 *
 * What another program made or is to check lies in DIRECTORY.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "skf.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Each function under its name, from the library. */
#define FUNCTIONS(each)                                                                                                        \
    each(EnumDev) each(ConnectDev) each(DisConnectDev) each(GetDevState) each(SetLabel) each(GetDevInfo) each(LockDev)         \
    each(UnlockDev) each(Transmit) each(DevAuth) each(ChangePIN) each(GetPINInfo) each(VerifyPIN) each(UnblockPIN)             \
    each(ClearSecureState) each(CreateApplication) each(EnumApplication) each(OpenApplication) each(CloseApplication)          \
    each(CreateFile) each(DeleteFile) each(EnumFiles) each(GetFileInfo) each(ReadFile) each(WriteFile) each(CreateContainer)   \
    each(OpenContainer) each(CloseContainer) each(EnumContainer) each(GetContainerType) each(ImportCertificate)                \
    each(ExportCertificate) each(GenRandom) each(GenECCKeyPair) each(ImportECCKeyPair) each(ECCSignData) each(ECCDecrypt)      \
    each(ECCVerify) each(ECCExportSessionKey) each(ExtECCEncrypt) each(ExtECCDecrypt) each(ExtECCSign) each(ExtECCVerify)      \
    each(ExportPublicKey) each(ImportSessionKey) each(SetSymmKey) each(EncryptInit) each(Encrypt) each(EncryptUpdate)          \
    each(EncryptFinal) each(DecryptInit) each(Decrypt) each(DecryptUpdate) each(DecryptFinal) each(DigestInit) each(Digest)    \
    each(DigestUpdate) each(DigestFinal) each(MacInit) each(GenRSAKeyPair) each(CloseHandle)

#define DECLARE(name) static __typeof__(SKF_##name) *name;
FUNCTIONS(DECLARE)

static const char *directory;

static void fail(int line, const char *what, unsigned got) {
    fprintf(stderr, "line %d: %s: %08X\n", line, what, got);
    exit(1);
}

#define EXPECT(wanted, call)                                                                                                   \
    do {                                                                                                                       \
        ULONG answer_ = (ULONG)(call);                                                                                         \
        if (answer_ != (wanted)) fail(__LINE__, #call, answer_);                                                               \
    } while (0)
#define OK(call) EXPECT(SAR_OK, call)
#define CHECK(condition)                                                                                                       \
    do {                                                                                                                       \
        if (!(condition)) fail(__LINE__, #condition, 0);                                                                       \
    } while (0)

static void load(const char *path) {
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!library) fail(__LINE__, dlerror(), 0);
#define LOAD(name)                                                                                                             \
    *(void **)&name = dlsym(library, "SKF_" #name);                                                                            \
    if (!name) fail(__LINE__, #name, 0);
    FUNCTIONS(LOAD)
}

static FILE *open_file(const char *name, const char *mode) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    FILE *file = fopen(path, mode);
    if (!file) fail(__LINE__, path, 0);
    return file;
}

static void put(const char *name, const void *bytes, size_t length) {
    FILE *file = open_file(name, "wb");
    CHECK(fwrite(bytes, 1, length, file) == length);
    CHECK(fclose(file) == 0);
}

static ULONG get(const char *name, BYTE *bytes, size_t room) {
    FILE *file = open_file(name, "rb");
    size_t length = fread(bytes, 1, room, file);
    CHECK(length > 0 && fgetc(file) == EOF);
    CHECK(fclose(file) == 0);
    return (ULONG)length;
}

static void unhex(const char *text, BYTE *bytes) {
    for (; *text; text += 2) {
        unsigned byte;
        CHECK(sscanf(text, "%2x", &byte) == 1);
        *bytes++ = (BYTE)byte;
    }
}

static BLOCKCIPHERPARAM parameters(ULONG padding, const BYTE *iv) {
    BLOCKCIPHERPARAM parameters;
    memset(&parameters, 0, sizeof parameters);
    parameters.PaddingType = padding;
    if (iv) {
        memcpy(parameters.IV, iv, 16);
        parameters.IVLen = 16;
    }
    return parameters;
}

/* 6.6, 1: enumerate and connect. */
static DEVHANDLE connect_first(void) {
    CHAR names[256];
    ULONG size = 0;
    OK(EnumDev(TRUE, NULL, &size));
    CHECK(size > 2 && size < sizeof names);
    ULONG little = 1;
    EXPECT(SAR_BUFFER_TOO_SMALL, EnumDev(TRUE, names, &little));
    CHECK(little == size);
    OK(EnumDev(TRUE, names, &size));
    CHECK(names[size - 1] == 0 && names[size - 2] == 0);

    ULONG state = 7;
    OK(GetDevState(names, &state));
    CHECK(state == DEV_PRESENT_STATE);
    DEVHANDLE device = NULL;
    OK(ConnectDev(names, &device));
    /* A library whose ULONG has 64 bits would write more than a DEVINFO. */
    BYTE room[512] = {0};
    DEVINFO info;
    OK(GetDevInfo(device, (DEVINFO *)room));
    CHECK(sizeof info == 294);
    for (size_t at = sizeof info; at < sizeof room; at++) CHECK(room[at] == 0);
    memcpy(&info, room, sizeof info);
    CHECK(strcmp(info.SerialNumber, names) == 0);
    CHECK(info.DevAuthAlgId == SGD_SM4_ECB && (info.AlgSymCap & SGD_SM4_CBC) == SGD_SM4_CBC && info.AlgHashCap == SGD_SM3);
    return device;
}

static void authenticate(DEVHANDLE device) {
    BYTE key[] = "1234567812345678", challenge[16] = {0}, proof[16];
    ULONG length = sizeof proof;
    HANDLE handle;
    OK(GenRandom(device, challenge, 8));
    OK(SetSymmKey(device, key, SGD_SM4_ECB, &handle));
    OK(EncryptInit(handle, parameters(0, NULL)));
    OK(Encrypt(handle, challenge, sizeof challenge, proof, &length));
    CHECK(length == 16);
    OK(CloseHandle(handle));
    OK(DevAuth(device, proof, length));
}

/* e = SM3(Z || M), on the token. */
static void digest_for(DEVHANDLE device, ECCPUBLICKEYBLOB *signer, const char *message, BYTE digest[32]) {
    BYTE id[] = "1234567812345678";
    ULONG length = 32, half = (ULONG)strlen(message) / 2;
    HANDLE hash;
    OK(DigestInit(device, SGD_SM3, signer, id, 16, &hash));
    OK(DigestUpdate(hash, (BYTE *)message, half));
    OK(Digest(hash, (BYTE *)message + half, (ULONG)strlen(message) - half, digest, &length));
    CHECK(length == 32);
    OK(CloseHandle(hash));
}

static HCONTAINER open_all(DEVHANDLE *device, HAPPLICATION *application) {
    HCONTAINER container;
    CHAR names[256];
    ULONG size = sizeof names;
    *device = connect_first();
    OK(EnumApplication(*device, names, &size));
    CHECK(strcmp(names, "Walk") == 0);
    OK(OpenApplication(*device, names, application));
    size = sizeof names;
    OK(EnumContainer(*application, names, &size));
    CHECK(strcmp(names, "first") == 0 && size == 7);
    OK(OpenContainer(*application, names, &container));
    return container;
}

/* 6.6, 2: the first half of a new certificate. */
static void make(void) {
    DEVHANDLE device = connect_first();
    HAPPLICATION application;
    HCONTAINER container;
    ULONG count = 0, type = 9, size;

    size = 99;
    OK(EnumApplication(device, NULL, &size));
    CHECK(size == 0);
    EXPECT(SAR_NO_AUTH, CreateApplication(device, "Walk", "adminpin", 6, "userpin", 6, SECURE_USER_ACCOUNT, &application));
    authenticate(device);
    EXPECT(SAR_PIN_LEN_RANGE, CreateApplication(device, "Walk", "adminpin", 6, "short", 6, SECURE_USER_ACCOUNT, &application));
    OK(CreateApplication(device, "Walk", "adminpin", 6, "userpin", 6, SECURE_USER_ACCOUNT, &application));
    EXPECT(SAR_USER_NOT_LOGGED_IN, CreateContainer(application, "first", &container));
    EXPECT(SAR_PIN_INCORRECT, VerifyPIN(application, USER_TYPE, "nouser", &count));
    CHECK(count == 5);
    OK(VerifyPIN(application, USER_TYPE, "userpin", &count));
    OK(CreateContainer(application, "first", &container));
    EXPECT(SAR_FILE_ALREADY_EXIST, CreateContainer(application, "first", &container));
    OK(GetContainerType(container, &type));
    CHECK(type == 0);
    size = 0;
    EXPECT(SAR_KEYNOTFOUNTERR, ExportPublicKey(container, TRUE, NULL, &size));

    ECCPUBLICKEYBLOB key, exported;
    OK(GenECCKeyPair(container, SGD_SM2_1, &key));
    OK(GetContainerType(container, &type));
    CHECK(type == 2);
    OK(ExportPublicKey(container, TRUE, NULL, &size));
    CHECK(size == sizeof exported && size == 132);
    OK(ExportPublicKey(container, TRUE, (BYTE *)&exported, &size));
    CHECK(memcmp(&key, &exported, sizeof key) == 0);

    BYTE digest[32];
    ECCSIGNATUREBLOB signature;
    digest_for(device, &key, "walked by C", digest);
    EXPECT(SAR_INDATALENERR, ECCSignData(container, digest, 31, &signature));
    OK(ECCSignData(container, digest, 32, &signature));
    OK(ECCVerify(device, &key, digest, 32, &signature));
    OK(ExtECCVerify(device, &key, digest, 32, &signature));
    digest[0] ^= 1;
    EXPECT(SAR_HASHNOTEQUALERR, ECCVerify(device, &key, digest, 32, &signature));
    put("signature", &signature, sizeof signature);
    put("signing-key", &key, sizeof key);

    OK(CloseContainer(container));
    EXPECT(SAR_INVALIDHANDLEERR, GetContainerType(container, &type));
    OK(CloseApplication(application));
    OK(DisConnectDev(device));
    EXPECT(SAR_INVALIDHANDLEERR, GenRandom(device, digest, 8));
}

/* The vector of GM/T 0009, 7.4 as an ENVELOPEDKEYBLOB: opened with the vector's signing key from outside. */
static const char *const SIGNING_D = "5cbd96822bb1491ec835ae9c09d4d3825e30bd9955e3c7031fbbe0e72d6fddf6";
static const char *const SESSION_KEY = "a2e84cbffa31da2292928a373363b431";
static const char *const ENCRYPTION_D = "4b431c5df04991ecfb26d86c7c747e011e95d23ed76e164e640e8424f895d345";
static const char *const ENCRYPTION_X = "944a5887f6fad9808516755e81c62f41566dab0f56ca55ad7909880acc051ce1";
static const char *const ENCRYPTION_Y = "57694b11557eba725291166508868e6988c596a30472bef32e03a3dcef686627";
static const char *const WRAPPED_X = "760c5d4eb80f7ec4bb12026586e4badcd41c293b416618575894d9278214aa6c";
static const char *const WRAPPED_Y = "3fea869801f94f1cf3839e9b666482703c86cef160af8a540daf9c6b9adff5b2";
static const char *const WRAPPED_HASH = "685f05616055daf4948e44d76c366b16745f7a487614c0542d16871baa34be87";
static const char *const WRAPPED_TEXT = "4abfcab6cea65caf2c130b222ebe5199";
static const char *const SEALED_D = "3ec6b59fece00ca37336c12f6d529aa84be07597e315eda1b7b58b0bef2fead9";

static void open_vector(DEVHANDLE device) {
    ECCPRIVATEKEYBLOB signer = {.BitLen = 256};
    BYTE room[sizeof(ECCCIPHERBLOB) + 15] = {0}, session[16], wanted[32], sealed[32], key[32];
    ECCCIPHERBLOB *wrapped = (ECCCIPHERBLOB *)room;
    ULONG length = sizeof session;
    HANDLE handle;
    unhex(SIGNING_D, signer.PrivateKey + 32);
    unhex(WRAPPED_X, wrapped->XCoordinate + 32);
    unhex(WRAPPED_Y, wrapped->YCoordinate + 32);
    unhex(WRAPPED_HASH, wrapped->HASH);
    wrapped->CipherLen = 16;
    unhex(WRAPPED_TEXT, room + 164);
    OK(ExtECCDecrypt(device, &signer, wrapped, session, &length));
    unhex(SESSION_KEY, wanted);
    CHECK(length == 16 && memcmp(session, wanted, 16) == 0);
    unhex(SEALED_D, sealed);
    OK(SetSymmKey(device, session, SGD_SM4_ECB, &handle));
    OK(DecryptInit(handle, parameters(0, NULL)));
    length = sizeof key;
    OK(Decrypt(handle, sealed, 32, key, &length));
    unhex(ENCRYPTION_D, wanted);
    CHECK(length == 32 && memcmp(key, wanted, 32) == 0);
    OK(CloseHandle(handle));
    room[170] ^= 1;
    length = sizeof session;
    EXPECT(SAR_INDATAERR, ExtECCDecrypt(device, &signer, wrapped, session, &length));
}

/* The same encryption key pair under the same session key, wrapped to this container's signing key, which nobody can choose. */
static void import_vector(DEVHANDLE device, HCONTAINER container) {
    BYTE room[372 + 16] = {0}, session[16];
    ENVELOPEDKEYBLOB *blob = (ENVELOPEDKEYBLOB *)room;
    ECCPUBLICKEYBLOB signer;
    ULONG length = sizeof signer;
    OK(ExportPublicKey(container, TRUE, (BYTE *)&signer, &length));
    blob->Version = 1;
    blob->ulSymmAlgID = SGD_SM4_ECB;
    blob->ulBits = 256;
    unhex(SEALED_D, blob->cbEncryptedPriKey + 32);
    blob->PubKey.BitLen = 256;
    unhex(ENCRYPTION_X, blob->PubKey.XCoordinate + 32);
    unhex(ENCRYPTION_Y, blob->PubKey.YCoordinate + 32);
    unhex(SESSION_KEY, session);
    OK(ExtECCEncrypt(device, &signer, session, 16, &blob->ECCCipherBlob));
    CHECK(blob->ECCCipherBlob.CipherLen == 16);

    room[12 + 40] ^= 1;
    EXPECT(SAR_INDATAERR, ImportECCKeyPair(container, blob));
    room[12 + 40] ^= 1;
    blob->ulSymmAlgID = SGD_SM1_ECB;
    EXPECT(SAR_NOTSUPPORTYETERR, ImportECCKeyPair(container, blob));
    blob->ulSymmAlgID = SGD_SM4_ECB;
    OK(ImportECCKeyPair(container, blob));
    ECCPUBLICKEYBLOB exported;
    length = sizeof exported;
    OK(ExportPublicKey(container, FALSE, (BYTE *)&exported, &length));
    CHECK(memcmp(&exported, &blob->PubKey, sizeof exported) == 0);
}

/* 6.6, 5: what somebody else encrypted, by the two ways there are. */
static void decrypt(DEVHANDLE device, HCONTAINER container) {
    BYTE room[1024], plain[256], text[48];
    ULONG length = get("cipher", room, sizeof room), size = 0;
    OK(ECCDecrypt(container, (ECCCIPHERBLOB *)room, NULL, &size));
    CHECK(size == 16 && size + 164 == length);
    size = 15;
    EXPECT(SAR_BUFFER_TOO_SMALL, ECCDecrypt(container, (ECCCIPHERBLOB *)room, plain, &size));
    CHECK(size == 16);
    OK(ECCDecrypt(container, (ECCCIPHERBLOB *)room, plain, &size));
    CHECK(memcmp(plain, "sixteen bytes ok", 16) == 0);

    HANDLE imported, set;
    BYTE iv[16] = {1, 2, 3};
    OK(ImportSessionKey(container, SGD_SM4_CBC, room, length, &imported));
    OK(SetSymmKey(device, plain, SGD_SM4_CBC, &set));
    OK(EncryptInit(set, parameters(1, iv)));
    size = 0;
    OK(Encrypt(set, (BYTE *)"a message of no block's length", 30, NULL, &size));
    CHECK(size == 32);
    OK(Encrypt(set, (BYTE *)"a message of no block's length", 30, text, &size));
    EXPECT(SAR_NOTINITIALIZEERR, Encrypt(set, text, 16, NULL, &size));
    OK(DecryptInit(imported, parameters(1, iv)));
    /* In place, in pieces. */
    size = 5;
    OK(DecryptUpdate(imported, text, 5, text, &size));
    CHECK(size == 0);
    size = 27;
    OK(DecryptUpdate(imported, text + 5, 27, plain, &size));
    CHECK(size == 16);
    size = sizeof plain - 16;
    OK(DecryptFinal(imported, plain + 16, &size));
    CHECK(size == 14 && memcmp(plain, "a message of no block's length", 30) == 0);
    OK(CloseHandle(imported));
    EXPECT(SAR_INVALIDHANDLEERR, CloseHandle(imported));

    ECCPUBLICKEYBLOB to;
    BYTE wrapped[180];
    HANDLE made;
    length = sizeof to;
    OK(ExportPublicKey(container, FALSE, (BYTE *)&to, &length));
    OK(ECCExportSessionKey(container, SGD_SM4_ECB, &to, (ECCCIPHERBLOB *)wrapped, &made));
    OK(ImportSessionKey(container, SGD_SM4_ECB, wrapped, sizeof wrapped, &imported));
    OK(EncryptInit(made, parameters(0, NULL)));
    OK(DecryptInit(imported, parameters(0, NULL)));
    memcpy(text, "sixteen bytes ok", 16);
    size = 16;
    OK(EncryptUpdate(made, text, 16, text, &size));
    size = 0;
    OK(EncryptFinal(made, plain, &size));
    CHECK(size == 0 && memcmp(text, "sixteen bytes ok", 16) != 0);
    size = 16;
    OK(Decrypt(imported, text, 16, text, &size));
    CHECK(memcmp(text, "sixteen bytes ok", 16) == 0);
}

static void files(HAPPLICATION application) {
    CHAR names[64];
    BYTE bytes[16];
    FILEATTRIBUTE info;
    ULONG size = 0;
    OK(EnumFiles(application, names, &size));
    CHECK(size == 0);
    OK(CreateFile(application, "order", 10, SECURE_USER_ACCOUNT, SECURE_USER_ACCOUNT));
    OK(WriteFile(application, "order", 4, (BYTE *)"state", 5));
    EXPECT(SAR_INDATALENERR, WriteFile(application, "order", 6, (BYTE *)"state", 5));
    size = 0;
    OK(ReadFile(application, "order", 3, 100, NULL, &size));
    CHECK(size == 7);
    size = sizeof bytes;
    OK(ReadFile(application, "order", 3, 100, bytes, &size));
    CHECK(size == 7 && memcmp(bytes, "\0state\0", 7) == 0);
    OK(GetFileInfo(application, "order", &info));
    CHECK(info.FileSize == 10 && strcmp(info.FileName, "order") == 0 && info.ReadRights == SECURE_USER_ACCOUNT);
    size = sizeof names;
    OK(EnumFiles(application, names, &size));
    CHECK(size == 7 && memcmp(names, "order\0", 7) == 0);
    OK(ClearSecureState(application));
    size = sizeof bytes;
    EXPECT(SAR_USER_NOT_LOGGED_IN, ReadFile(application, "order", 0, 1, bytes, &size));
    OK(VerifyPIN(application, USER_TYPE, "userpin", &size));
    OK(DeleteFile(application, "order"));
    EXPECT(SAR_FILE_NOT_EXIST, DeleteFile(application, "order"));
}

/* 6.6, 2: the second half of a new certificate, in another process. */
static void import(void) {
    DEVHANDLE device;
    HAPPLICATION application;
    HCONTAINER container = open_all(&device, &application);
    BYTE certificate[8192], exported[8192];
    ULONG count = 0, length, size = 0;

    length = get("signing.cer", certificate, sizeof certificate);
    EXPECT(SAR_USER_NOT_LOGGED_IN, ImportCertificate(container, TRUE, certificate, length));
    OK(VerifyPIN(application, USER_TYPE, "userpin", &count));
    CHECK(count == 6);
    EXPECT(SAR_CERTNOTFOUNTERR, ExportCertificate(container, TRUE, NULL, &size));
    OK(ImportCertificate(container, TRUE, certificate, length));
    OK(ExportCertificate(container, TRUE, NULL, &size));
    CHECK(size == length);
    OK(ExportCertificate(container, TRUE, exported, &size));
    CHECK(memcmp(certificate, exported, length) == 0);

    open_vector(device);
    import_vector(device, container);
    length = get("encryption.cer", certificate, sizeof certificate);
    EXPECT(SAR_INDATAERR, ImportCertificate(container, TRUE, certificate, length));
    OK(ImportCertificate(container, FALSE, certificate, length));
    size = sizeof exported;
    OK(ExportCertificate(container, FALSE, exported, &size));
    CHECK(size == length && memcmp(certificate, exported, length) == 0);

    decrypt(device, container);
    files(application);

    ECCPRIVATEKEYBLOB outside = {.BitLen = 256};
    ECCPUBLICKEYBLOB key = {.BitLen = 256};
    ECCSIGNATUREBLOB signature;
    BYTE digest[32] = {42};
    unhex(ENCRYPTION_D, outside.PrivateKey + 32);
    unhex(ENCRYPTION_X, key.XCoordinate + 32);
    unhex(ENCRYPTION_Y, key.YCoordinate + 32);
    OK(ExtECCSign(device, &outside, digest, 32, &signature));
    OK(ExtECCVerify(device, &key, digest, 32, &signature));

    BYTE room[164 + 12];
    OK(ExtECCEncrypt(device, &key, (BYTE *)"to be opened", 12, (ECCCIPHERBLOB *)room));
    put("cipher-out", room, sizeof room);

    HANDLE mac;
    RSAPUBLICKEYBLOB rsa;
    EXPECT(SAR_NOTSUPPORTYETERR, GenRSAKeyPair(container, 2048, &rsa));
    EXPECT(SAR_NOTSUPPORTYETERR, MacInit(NULL, NULL, &mac));
    EXPECT(SAR_NOTSUPPORTYETERR, SetSymmKey(device, digest, SGD_SM1_ECB, &mac));
    OK(SetLabel(device, "walked"));
    OK(LockDev(device, 1000));
    OK(ECCSignData(container, digest, 32, &signature));
    OK(UnlockDev(device));
    OK(DisConnectDev(device));
    EXPECT(SAR_INVALIDHANDLEERR, ECCSignData(container, digest, 32, &signature));
    EXPECT(SAR_INVALIDHANDLEERR, CloseApplication(application));
}

/* 6.6, 6: wrong PINs, change, unlock. */
static void lock(void) {
    DEVHANDLE device;
    HAPPLICATION application;
    HCONTAINER container = open_all(&device, &application);
    ULONG count = 0, most = 0;
    BOOL first = 9;
    BYTE digest[32] = {1};
    ECCSIGNATUREBLOB signature;

    OK((ULONG)GetPINInfo(application, USER_TYPE, &most, &count, &first));
    CHECK(most == 6 && count == 6 && first == TRUE);
    EXPECT(SAR_USER_TYPE_INVALID, VerifyPIN(application, 2, "userpin", &count));
    EXPECT(SAR_PIN_LEN_RANGE, VerifyPIN(application, USER_TYPE, "short", &count));
    for (ULONG left = 5; left > 0; left--) {
        EXPECT(SAR_PIN_INCORRECT, VerifyPIN(application, USER_TYPE, "nouser", &count));
        CHECK(count == left);
    }
    EXPECT(SAR_PIN_LOCKED, VerifyPIN(application, USER_TYPE, "nouser", &count));
    CHECK(count == 0);
    EXPECT(SAR_PIN_LOCKED, VerifyPIN(application, USER_TYPE, "userpin", &count));
    EXPECT(SAR_PIN_LOCKED, ChangePIN(application, USER_TYPE, "userpin", "another", &count));
    EXPECT(SAR_PIN_INCORRECT, UnblockPIN(application, "noadmin", "another", &count));
    CHECK(count == 5);
    OK(UnblockPIN(application, "adminpin", "another", &count));
    EXPECT(SAR_USER_NOT_LOGGED_IN, ECCSignData(container, digest, 32, &signature));
    OK(VerifyPIN(application, USER_TYPE, "another", &count));
    OK(ECCSignData(container, digest, 32, &signature));
    OK(ChangePIN(application, USER_TYPE, "another", "userpin", &count));
    OK((ULONG)GetPINInfo(application, USER_TYPE, &most, &count, &first));
    CHECK(count == 6 && first == FALSE);
    OK(DisConnectDev(device));
}

/* The environment pulls the token at the second signature. */
static void pull(void) {
    DEVHANDLE device;
    HAPPLICATION application;
    HCONTAINER container = open_all(&device, &application);
    ULONG count = 0, size = 9, state = 9;
    BYTE digest[32] = {1};
    ECCSIGNATUREBLOB signature;
    OK(VerifyPIN(application, USER_TYPE, "userpin", &count));
    OK(ECCSignData(container, digest, 32, &signature));
    EXPECT(SAR_DEVICE_REMOVED, ECCSignData(container, digest, 32, &signature));
    EXPECT(SAR_DEVICE_REMOVED, GenRandom(device, digest, 8));
    OK(EnumDev(TRUE, NULL, &size));
    CHECK(size == 0);
    OK(GetDevState("SOFT0001", &state));
    CHECK(state == DEV_ABSENT_STATE);
    EXPECT(SAR_DEVICE_REMOVED, ConnectDev("SOFT0001", &device));

    char path[4096];
    snprintf(path, sizeof path, "%s/pulled", getenv("YINXIN_SOFTSKF_DIR"));
    CHECK(remove(path) == 0);
    /* It is there again, but not for who had it open. */
    EXPECT(SAR_DEVICE_REMOVED, ECCSignData(container, digest, 32, &signature));
    container = open_all(&device, &application);
    EXPECT(SAR_USER_NOT_LOGGED_IN, ECCSignData(container, digest, 32, &signature));
    OK(VerifyPIN(application, USER_TYPE, "userpin", &count));
    OK(ECCSignData(container, digest, 32, &signature));
}

int main(int argc, char **argv) {
    static const struct {
        const char *name;
        void (*walk)(void);
    } walks[] = {{"make", make}, {"import", import}, {"lock", lock}, {"pull", pull}};
    if (argc != 4) return 64;
    load(argv[1]);
    directory = argv[3];
    for (size_t at = 0; at < COUNT(walks); at++) {
        if (strcmp(walks[at].name, argv[2]) == 0) {
            walks[at].walk();
            return 0;
        }
    }
    return 64;
}
