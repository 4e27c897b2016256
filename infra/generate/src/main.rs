//! Writes the generated files; `cargo xtask generate` runs it at the project's root.
fn main() -> anyhow::Result<()> {
    for (path, content) in yinxin_generate::files()? {
        std::fs::write(path, content)?;
        println!("{path}");
    }
    Ok(())
}
