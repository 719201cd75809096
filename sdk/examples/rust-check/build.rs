// A cdylib exports only its #[no_mangle] functions; the rest of what ronda_add_plugin() does is said here.
fn main() {
    println!("cargo:rerun-if-changed=plugin.toml");
    println!("cargo:rustc-cdylib-link-arg=-Wl,-z,defs,-z,now,-z,relro,-z,noexecstack");
    println!("cargo:rustc-cdylib-link-arg=-Wl,--build-id");
}
