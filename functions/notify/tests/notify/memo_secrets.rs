//! Memo secrets: derived, the same each time, and as good as random.
use yinxin_notify::MemoSecret;
use yinxin_order::identifiers::OrderId;
use yinxin_providers::bank::MEMO_ALPHABET;
use yinxin_store::vault::Hashes;

const PASSWORD: &str = "k7Wq2m9Zab3x";
const CHARACTERS: usize = 12;

fn hashes() -> Hashes {
    Hashes::new(b"test key, public".to_vec())
}

fn order(id: u8) -> OrderId {
    OrderId::from_random([id; 16])
}

fn secret(password: &str, order_id: u8, number: u8) -> String {
    MemoSecret::derive(password, &hashes(), &order(order_id), number)
        .reveal()
        .to_owned()
}

/// The value is of `tests/fixtures/memo_secret.py`, which computes it with OpenSSL's SM3.
#[test]
fn the_secret_is_that_of_another_implementation() {
    assert_eq!(secret(PASSWORD, 1, 1), "XPdmSMKTeMcz");
    assert_eq!(secret(PASSWORD, 1, 2), "Zw3scY8uVke8");
}

#[test]
fn each_password_order_sending_and_platform_has_a_secret_of_its_own() {
    let mut secrets = vec![
        secret(PASSWORD, 1, 1),
        secret("k7Wq2m9Zab3y", 1, 1),
        secret(PASSWORD, 2, 1),
        secret(PASSWORD, 1, 2),
    ];
    let elsewhere = Hashes::new(b"another key".to_vec());
    let other = MemoSecret::derive(PASSWORD, &elsewhere, &order(1), 1);
    secrets.push(other.reveal().to_owned());
    let all = secrets.len();
    secrets.sort_unstable();
    secrets.dedup();
    assert_eq!(secrets.len(), all);
    assert_eq!(secret(PASSWORD, 1, 1), secret(PASSWORD, 1, 1));
}

#[test]
fn no_character_is_favoured() {
    const ORDERS: u32 = 2_000;
    let mut counts = [0_i64; 128];
    for seed in 0..ORDERS {
        let order = OrderId::from_random(u128::from(seed).to_be_bytes());
        let secret = MemoSecret::derive(PASSWORD, &hashes(), &order, 1);
        assert_eq!(secret.reveal().len(), CHARACTERS);
        for byte in secret.reveal().bytes() {
            counts[usize::from(byte)] += 1;
        }
    }
    // 24,000 characters, 421 of each on average with a deviation of 20; taking remainders of whole bytes would give
    // the first 28 characters 469 and the others 375.
    let alphabet = MEMO_ALPHABET.bytes().map(usize::from);
    let counted: Vec<i64> = alphabet.map(|place| counts[place]).collect();
    assert_eq!(counted.iter().sum::<i64>(), counts.iter().sum::<i64>());
    let (first, rest) = counted.split_at(28);
    let mean = |counts: &[i64]| counts.iter().sum::<i64>() / i64::try_from(counts.len()).unwrap();
    assert!((mean(first) - mean(rest)).abs() < 20, "{counted:?}");
    assert!(
        counted.iter().all(|count| (321..=521).contains(count)),
        "{counted:?}"
    );
}

#[test]
fn an_entered_secret_is_twelve_letters_and_digits() {
    for (text, fits) in [
        ("Xk7mPq29abcd", true),
        ("  XK7MPQ29ABCD \n", true),
        ("Xk7mPq29abc", false),
        ("Xk7mPq29abcde", false),
        ("Xk7mPq29 bcd", false),
        ("口令口令", false),
        ("", false),
    ] {
        assert_eq!(text.parse::<MemoSecret>().is_ok(), fits, "{text:?}");
    }
}

#[test]
fn a_secret_is_not_printed() {
    let text = secret(PASSWORD, 1, 1);
    let secret: MemoSecret = text.parse().unwrap();
    assert!(!format!("{secret:?}").contains(&text));
}
