//! Application forms.
