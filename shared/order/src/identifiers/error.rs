//! Why a text is not the value it should be: one stable code and one sentence each, never the text itself.

/// Declares an error whose `Display` is `<code>: <sentence>`.
macro_rules! coded_error {
    ($(#[doc = $doc:literal])+ $name:ident { $($variant:ident => $code:literal, $sentence:literal;)+ }) => {
        $(#[doc = $doc])+
        ///
        /// `Display` is `<code>: <sentence>`; the code is the problem type of HTTP answers.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
        pub enum $name {
            $(
                #[doc = $sentence]
                #[error("{}: {}", $code, $sentence)]
                $variant,
            )+
        }

        impl $name {
            /// Every error, for the table of errors.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The stable code.
            pub const fn code(self) -> &'static str {
                match self {
                    $(Self::$variant => $code,)+
                }
            }

            /// What would be right.
            pub const fn sentence(self) -> &'static str {
                match self {
                    $(Self::$variant => $sentence,)+
                }
            }
        }
    };
}

pub(crate) use coded_error;

coded_error! {
    /// A text that is not the value it should be.
    InvalidIdentifier {
        CreditCode => "malformed-credit-code",
            "a unified social credit code has 18 digits and capital letters other than I, O, S, V and Z, the last one a check character";
        IdNumber => "malformed-id-number",
            "an identity number has the form of its document; a resident identity number has 17 digits, among them a real date of birth, and a check character";
        Mobile => "malformed-mobile", "a mobile number of China's mainland has 11 digits and starts with 13 to 19";
        BankCard => "malformed-bank-card", "a bank card number has 12 to 19 digits, the last one a check digit";
        BankAccount => "malformed-bank-account", "an account number has 6 to 32 digits, letters or hyphens, digits for the most part";
        AccountName => "malformed-account-name", "an account name has 2 to 64 printable characters";
        BankName => "malformed-bank-name", "a bank's name has 2 to 64 printable characters";
        Email => "malformed-email", "an e-mail address has the form name@example.com, at most 254 characters";
        TaxNumber => "malformed-tax-number",
            "a tax number has 15 to 20 digits and capital letters; one of 18 has a right check character";
        Name => "malformed-name", "a person's name has 2 to 50 letters, spaces or middle dots";
        UnitName => "malformed-unit-name", "a unit's name has 2 to 64 printable characters";
        OrderNumber => "malformed-order-number", "an order number is a date of eight digits, the letter A and ten digits";
        OrderId => "malformed-order-id", "an order id has 32 lower-case hexadecimal digits";
        RecoveryId => "malformed-recovery-id", "the id of a recovery has 32 lower-case hexadecimal digits";
        VendorId => "malformed-vendor-id", "a vendor id has 2 to 32 lower-case letters, digits and inner hyphens, a letter first";
        ProductId => "malformed-product-id", "a product id has 2 to 32 lower-case letters, digits and inner hyphens, a letter first";
        Address => "malformed-address", "an address has 2 to 200 printable characters";
        Place => "malformed-place", "a province or city has 2 to 32 letters";
        Telephone => "malformed-telephone", "a telephone number has 5 to 24 digits, spaces, hyphens, plus signs or brackets";
        Department => "malformed-department", "a department has 1 to 64 printable characters";
        Role => "malformed-role", "a role has 1 to 32 printable characters";
        InvoiceTitle => "malformed-invoice-title", "an invoice title has 2 to 100 printable characters";
        InvoiceLine => "malformed-invoice-line", "a line of an invoice has 1 to 200 printable characters";
        InvoiceNumber => "malformed-invoice-number", "the number of an electronic invoice has 20 digits";
        PolicyVersion => "malformed-policy-version", "a version has 1 to 32 letters, digits, dots and hyphens";
        Amount => "malformed-amount", "an amount is in whole fen and not negative, or in yuan with at most two decimals";
    }
}
