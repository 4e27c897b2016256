// BouncyCastle's word on what the crate makes. Reads the files of a directory, prints one line per fact, ends with 1 on the first
// that does not hold. Needs bcprov, bcpkix and bcutil on the class path.

import java.io.ByteArrayInputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.Security;
import java.security.cert.CertPath;
import java.security.cert.CertPathValidator;
import java.security.cert.CertPathValidatorException;
import java.security.cert.CertStore;
import java.security.cert.CertificateFactory;
import java.security.cert.CollectionCertStoreParameters;
import java.security.cert.PKIXParameters;
import java.security.cert.TrustAnchor;
import java.security.cert.X509CRL;
import java.security.cert.X509Certificate;
import java.util.Arrays;
import java.util.List;
import java.util.Set;

import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cert.ocsp.BasicOCSPResp;
import org.bouncycastle.cert.ocsp.CertificateID;
import org.bouncycastle.cert.ocsp.CertificateStatus;
import org.bouncycastle.cert.ocsp.OCSPReqBuilder;
import org.bouncycastle.cert.ocsp.OCSPResp;
import org.bouncycastle.cert.ocsp.RevokedStatus;
import org.bouncycastle.cert.ocsp.SingleResp;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.operator.ContentVerifierProvider;
import org.bouncycastle.operator.DigestCalculatorProvider;
import org.bouncycastle.operator.jcajce.JcaContentVerifierProviderBuilder;
import org.bouncycastle.operator.jcajce.JcaDigestCalculatorProviderBuilder;
import org.bouncycastle.pkcs.PKCS10CertificationRequest;

public final class Verify {
    private static Path directory;
    private static CertificateFactory factory;

    public static void main(String[] arguments) throws Exception {
        directory = Path.of(arguments[0]);
        Security.addProvider(new BouncyCastleProvider());
        factory = CertificateFactory.getInstance("X.509", "BC");
        certificates(Arrays.asList(arguments).subList(1, arguments.length));
        request();
        list();
        answer();
        mutants();
        System.out.println("done");
    }

    private static void certificates(List<String> names) throws Exception {
        for (String name : names) {
            X509Certificate certificate = certificate(read(name + ".der"));
            boolean top = name.equals("root") || name.equals("issuing");
            certificate.verify(certificate(read(top ? "root.der" : "issuing.der")).getPublicKey(), "BC");
            holds(name + " verifies", true);
            if (name.equals("unit-encrypt")) {
                // The algorithm of its key is SM2 itself, which this library finds no key for.
                holds("no key is read from unit-encrypt", key(certificate) == null);
                continue;
            }
            byte[] expected = SubjectPublicKeyInfo.getInstance(new X509CertificateHolder(read(name + ".der"))
                .getSubjectPublicKeyInfo()).getPublicKeyData().getOctets();
            byte[] found = SubjectPublicKeyInfo.getInstance(key(certificate).getEncoded()).getPublicKeyData().getOctets();
            holds("the key of " + name + " is read", Arrays.equals(expected, found));
            if (!top) {
                path(certificate, "root.der", false, certificate("issuing.der"));
                holds("the path of " + name + " is valid", true);
            }
        }
    }

    private static java.security.PublicKey key(X509Certificate certificate) {
        try {
            return certificate.getPublicKey();
        } catch (RuntimeException unreadable) {
            return null;
        }
    }

    /** Validates leaf and issuers under an anchor, with the list of the issuing CA if the status counts. */
    private static void path(X509Certificate leaf, String anchor, boolean status, X509Certificate... issuers) throws Exception {
        X509Certificate[] all = new X509Certificate[issuers.length + 1];
        all[0] = leaf;
        System.arraycopy(issuers, 0, all, 1, issuers.length);
        CertPath path = factory.generateCertPath(Arrays.asList(all));
        PKIXParameters parameters = new PKIXParameters(Set.of(new TrustAnchor(certificate(anchor), null)));
        parameters.setRevocationEnabled(status);
        if (status) {
            parameters.addCertStore(CertStore.getInstance("Collection",
                new CollectionCertStoreParameters(List.of(crl(read("list.der")), certificate("issuing.der"))), "BC"));
        }
        CertPathValidator.getInstance("PKIX", "BC").validate(path, parameters);
    }

    private static void request() throws Exception {
        holds("the request verifies", requestVerifies(read("request.der")));
    }

    private static boolean requestVerifies(byte[] bytes) throws Exception {
        PKCS10CertificationRequest request = new PKCS10CertificationRequest(bytes);
        return request.isSignatureValid(verifiers().build(request.getSubjectPublicKeyInfo()));
    }

    private static void list() throws Exception {
        X509CRL crl = crl(read("list.der"));
        crl.verify(certificate("issuing.der").getPublicKey(), "BC");
        holds("the list verifies", true);
        holds("the person's certificate is in the list", crl.isRevoked(certificate("person-sign.der")));
        holds("the unit's certificate is not in the list", !crl.isRevoked(certificate("unit-sign.der")));
        path(certificate("unit-sign.der"), "issuing.der", true);
        holds("the unit's path with the list is valid", true);
        try {
            path(certificate("person-sign.der"), "issuing.der", true);
            holds("the person's path with the list is refused", false);
        } catch (CertPathValidatorException refused) {
            holds("the person's path with the list is refused: " + refused.getMessage(),
                String.valueOf(refused.getMessage()).contains("revo"));
        }
    }

    private static void answer() throws Exception {
        BasicOCSPResp basic = (BasicOCSPResp) new OCSPResp(read("answer.der")).getResponseObject();
        holds("the answer verifies", basic.isSignatureValid(responder()));
        X509CertificateHolder carried = basic.getCerts()[0];
        holds("the answer carries its responder", carried.equals(new X509CertificateHolder(read("responder.der"))));
        holds("the responder is named by its key", basic.getResponderId().toASN1Primitive().equals(
            new org.bouncycastle.cert.ocsp.RespID(carried.getSubjectPublicKeyInfo(),
                digests().get(CertificateID.HASH_SHA1)).toASN1Primitive()));
        holds("the unit is good", status(basic, "unit-sign.der") == CertificateStatus.GOOD);
        RevokedStatus revoked = (RevokedStatus) status(basic, "person-sign.der");
        holds("the person is revoked for key compromise", revoked.getRevocationReason() == 1);
        OCSPReqBuilder query = new OCSPReqBuilder();
        query.addRequest(id("unit-sign.der"));
        Files.write(directory.resolve("query.der"), query.build().getEncoded());
    }

    private static CertificateID id(String subject) throws Exception {
        return new CertificateID(digests().get(CertificateID.HASH_SHA1), new X509CertificateHolder(read("issuing.der")),
            certificate(subject).getSerialNumber());
    }

    private static CertificateStatus status(BasicOCSPResp basic, String subject) throws Exception {
        for (SingleResp single : basic.getResponses()) {
            if (single.getCertID().equals(id(subject))) {
                return single.getCertStatus();
            }
        }
        throw new IllegalStateException("no answer about " + subject);
    }

    /** Changes each octet in two ways; what still verifies must be the same object, written another way. */
    private static void mutants() throws Exception {
        java.security.PublicKey issuing = certificate("issuing.der").getPublicKey();
        refused("unit-sign.der", bytes -> {
            X509Certificate certificate = certificate(bytes);
            certificate.verify(issuing, "BC");
            return certificate.getEncoded();
        });
        refused("request.der", bytes -> requestVerifies(bytes) ? new PKCS10CertificationRequest(bytes).getEncoded() : null);
        refused("list.der", bytes -> {
            X509CRL crl = crl(bytes);
            crl.verify(issuing, "BC");
            return crl.getEncoded();
        });
        ContentVerifierProvider responder = responder();
        refused("bare-answer.der", bytes -> {
            OCSPResp response = new OCSPResp(bytes);
            BasicOCSPResp basic = (BasicOCSPResp) response.getResponseObject();
            return response.getStatus() == OCSPResp.SUCCESSFUL && basic != null && basic.isSignatureValid(responder)
                ? basic.getEncoded() : null;
        });
    }

    /** Gives the object's own encoding if the signature holds, null or an exception otherwise. */
    private interface Check {
        byte[] accept(byte[] bytes) throws Exception;
    }

    private static void refused(String name, Check check) throws Exception {
        byte[] whole = read(name);
        byte[] original = check.accept(whole);
        holds(name + " is accepted unchanged", original != null);
        int count = 0;
        int same = 0;
        for (int at = 0; at < whole.length; at++) {
            for (int change : new int[] {1 << (at % 8), 0xff}) {
                byte[] changed = whole.clone();
                changed[at] ^= (byte) change;
                count++;
                byte[] accepted = null;
                try {
                    accepted = check.accept(changed);
                } catch (Exception | LinkageError refusal) {
                    continue;
                }
                if (accepted != null) {
                    same++;
                    holds(name + " changed at " + at + " by " + change + " says the same", Arrays.equals(accepted, original));
                }
            }
        }
        System.out.println(name + ": " + count + " mutants, " + same + " say the same, the others are refused");
    }

    private static void holds(String fact, boolean holds) {
        System.out.println((holds ? "holds: " : "does not hold: ") + fact);
        if (!holds) {
            System.exit(1);
        }
    }

    private static ContentVerifierProvider responder() throws Exception {
        return verifiers().build(new X509CertificateHolder(read("responder.der")));
    }

    private static JcaContentVerifierProviderBuilder verifiers() {
        return new JcaContentVerifierProviderBuilder().setProvider("BC");
    }

    private static DigestCalculatorProvider digests() throws Exception {
        return new JcaDigestCalculatorProviderBuilder().setProvider("BC").build();
    }

    private static X509Certificate certificate(String name) throws Exception {
        return certificate(read(name));
    }

    private static X509Certificate certificate(byte[] bytes) throws Exception {
        return (X509Certificate) factory.generateCertificate(new ByteArrayInputStream(bytes));
    }

    private static X509CRL crl(byte[] bytes) throws Exception {
        return (X509CRL) factory.generateCRL(new ByteArrayInputStream(bytes));
    }

    private static byte[] read(String name) throws Exception {
        return Files.readAllBytes(directory.resolve(name));
    }
}
