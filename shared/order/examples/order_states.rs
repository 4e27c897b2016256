//! Prints docs/order-states.md; `cargo xtask generate` writes it.
fn main() {
    print!("{}", yinxin_order::diagram::order_states());
}
