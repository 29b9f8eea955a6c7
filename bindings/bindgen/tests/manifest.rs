//! The surface that apps link against, written down in `bindings/api.manifest`: a change shows in review, and none
//! happens unnoticed. `MOA_BLESS=1 cargo test -p moa-bindgen` writes it anew.

// Linked so that the library is built, with what it exports, before this test reads it.
use moa as _;
use uniffi_bindgen::macro_metadata::extract_from_library;
use uniffi_meta::{FieldMetadata, FnParamMetadata, Metadata, Type};

fn name(ty: &Type) -> String {
    match ty {
        Type::Object { name, .. }
        | Type::Record { name, .. }
        | Type::Enum { name, .. }
        | Type::CallbackInterface { name, .. }
        | Type::Custom { name, .. } => name.clone(),
        Type::Box { inner_type } => name(inner_type),
        Type::Optional { inner_type } => format!("{}?", name(inner_type)),
        Type::Sequence { inner_type } => format!("[{}]", name(inner_type)),
        Type::Set { inner_type } => format!("{{{}}}", name(inner_type)),
        Type::Map { key_type, value_type } => format!("{{{}: {}}}", name(key_type), name(value_type)),
        plain => format!("{plain:?}"),
    }
}

fn fields(fields: &[FieldMetadata]) -> String {
    fields.iter().map(|field| format!("{}: {}", field.name, name(&field.ty))).collect::<Vec<_>>().join(", ")
}

fn call(
    of: &str,
    called: &str,
    inputs: &[FnParamMetadata],
    output: Option<&Type>,
    throws: Option<&Type>,
    is_async: bool,
) -> String {
    let inputs: Vec<String> =
        inputs.iter().map(|input| format!("{}: {}", input.name, name(&input.ty))).collect();
    let output = output.map_or(String::new(), |ty| format!(" -> {}", name(ty)));
    let throws = throws.map_or(String::new(), |ty| format!(" throws {}", name(ty)));
    let waits = if is_async { "async " } else { "" };
    format!("{waits}{of}.{called}({}){output}{throws}", inputs.join(", "))
}

/// One line a thing, in order; an item that is no part of the surface has none.
fn line(item: Metadata) -> Vec<String> {
    match item {
        Metadata::Func(it) => {
            let (output, throws) = (it.return_type.as_ref(), it.throws.as_ref());
            vec![call("moa", &it.name, &it.inputs, output, throws, it.is_async)]
        }
        Metadata::Object(it) => vec![format!("{} ({:?})", it.name, it.imp)],
        Metadata::CallbackInterface(it) => vec![format!("{} (callback)", it.name)],
        Metadata::Record(it) => vec![format!("{} {{{}}}", it.name, fields(&it.fields))],
        Metadata::Enum(it) => {
            let variants = it
                .variants
                .iter()
                .map(|one| format!("{}::{} {{{}}}", it.name, one.name, fields(&one.fields)));
            variants.collect()
        }
        Metadata::Constructor(it) => {
            vec![call(&it.self_name, &it.name, &it.inputs, None, it.throws.as_ref(), it.is_async)]
        }
        Metadata::Method(it) => {
            let (output, throws) = (it.return_type.as_ref(), it.throws.as_ref());
            vec![call(&it.self_name, &it.name, &it.inputs, output, throws, it.is_async)]
        }
        Metadata::TraitMethod(it) => {
            let (output, throws) = (it.return_type.as_ref(), it.throws.as_ref());
            vec![call(&it.trait_name, &it.name, &it.inputs, output, throws, it.is_async)]
        }
        Metadata::CustomType(it) => vec![format!("{} = {}", it.name, name(&it.builtin))],
        Metadata::Namespace(_)
        | Metadata::UdlFile(_)
        | Metadata::UniffiTrait(_)
        | Metadata::ObjectTraitImpl(_) => Vec::new(),
    }
}

#[test]
fn the_exported_surface_is_the_one_written_down() {
    let here = std::env::current_exe().unwrap();
    let library =
        here.with_file_name(format!("{}moa{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX));
    let items = extract_from_library(library.as_path().try_into().unwrap()).unwrap();
    let mut lines: Vec<String> = items.into_iter().flat_map(line).collect();
    lines.sort_unstable();
    assert!(lines.iter().any(|line| line.starts_with("App.open(")), "no surface in {}", library.display());
    let found = lines.join("\n") + "\n";
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../api.manifest");
    if std::env::var_os("MOA_BLESS").is_some() {
        std::fs::write(path, &found).unwrap();
    }
    let written = std::fs::read_to_string(path).unwrap_or_default();
    let lost: Vec<&str> = written.lines().filter(|line| !found.lines().any(|new| new == *line)).collect();
    let gained: Vec<&str> = found.lines().filter(|line| !written.lines().any(|old| old == *line)).collect();
    assert!(
        written == found,
        "the surface changed.\nno longer there: {lost:#?}\nnew: {gained:#?}\nIf that is meant: MOA_BLESS=1 cargo test -p moa-bindgen"
    );
}
