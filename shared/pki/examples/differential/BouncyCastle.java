// BouncyCastle's side of the comparison: judges cases, or signs jobs. The format is in main.rs.
//
//   java -cp /usr/share/java/bcprov.jar BouncyCastle.java verify < cases
//   java -cp /usr/share/java/bcprov.jar BouncyCastle.java sign < jobs > cases

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.bouncycastle.crypto.CipherParameters;
import org.bouncycastle.crypto.params.ParametersWithID;
import org.bouncycastle.crypto.signers.SM2Signer;
import org.bouncycastle.crypto.util.PrivateKeyFactory;
import org.bouncycastle.crypto.util.PublicKeyFactory;
import org.bouncycastle.jce.provider.BouncyCastleProvider;

public final class BouncyCastle {
    private static final byte[] IDENTITY = "1234567812345678".getBytes(StandardCharsets.US_ASCII);
    private static final DataInputStream INPUT =
        new DataInputStream(new BufferedInputStream(System.in, 1 << 16));

    public static void main(String[] arguments) throws Exception {
        String version = new BouncyCastleProvider().getInfo();
        boolean done = switch (arguments.length == 1 ? arguments[0] : "") {
            case "verify" -> verify(version);
            case "sign" -> sign(version);
            default -> throw new IllegalArgumentException("usage: BouncyCastle verify | sign");
        };
        System.exit(done ? 0 : 1);
    }

    private static boolean verify(String version) throws IOException {
        long accepted = 0;
        long refused = 0;
        long wrong = 0;
        byte[] last = null;
        CipherParameters key = null;
        for (byte[] bytes = readField(); bytes != null; bytes = readField()) {
            byte[] message = readField();
            byte[] signature = readField();
            boolean expected = INPUT.readByte() == 1;
            if (!Arrays.equals(bytes, last)) {
                last = bytes;
                key = PublicKeyFactory.createKey(bytes);
            }
            SM2Signer signer = new SM2Signer();
            signer.init(false, new ParametersWithID(key, IDENTITY));
            signer.update(message, 0, message.length);
            boolean judged = signer.verifySignature(signature);
            if (judged) {
                accepted++;
            } else {
                refused++;
            }
            if (judged != expected) {
                wrong++;
            }
        }
        System.err.printf("bouncycastle: accepted %d, refused %d, judged wrongly %d (%s)%n", accepted, refused, wrong, version);
        return wrong == 0 && accepted > 0;
    }

    private static boolean sign(String version) throws Exception {
        DataOutputStream output = new DataOutputStream(new BufferedOutputStream(System.out, 1 << 16));
        long signed = 0;
        byte[] last = null;
        CipherParameters key = null;
        for (byte[] bytes = readField(); bytes != null; bytes = readField()) {
            byte[] publicKey = readField();
            byte[] message = readField();
            if (!Arrays.equals(bytes, last)) {
                last = bytes;
                key = PrivateKeyFactory.createKey(bytes);
            }
            SM2Signer signer = new SM2Signer();
            signer.init(true, new ParametersWithID(key, IDENTITY));
            signer.update(message, 0, message.length);
            byte[] signature = signer.generateSignature();
            for (byte[] field : new byte[][] {publicKey, message, signature}) {
                output.writeShort(field.length);
                output.write(field);
            }
            output.write(1);
            signed++;
        }
        output.flush();
        System.err.printf("bouncycastle: signed %d (%s)%n", signed, version);
        return signed > 0;
    }

    /** Null at the end of the stream. */
    private static byte[] readField() throws IOException {
        int length;
        try {
            length = INPUT.readUnsignedShort();
        } catch (EOFException end) {
            return null;
        }
        byte[] bytes = new byte[length];
        INPUT.readFully(bytes);
        return bytes;
    }
}
