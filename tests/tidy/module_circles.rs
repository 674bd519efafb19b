//! Finds circles of imports between the files of a crate: sets of files each of which needs all the others. Names that
//! a `mod.rs` only re-exports count for the file that defines them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use petgraph::algo::tarjan_scc;
use petgraph::graphmap::DiGraphMap;
use syn::visit::{self, Visit};
use syn::{Attribute, Item, UseTree, Visibility};

/// A module path below the crate root: `["routes", "alarms"]`; empty for the root.
type ModulePath = Vec<String>;

/// Deepest chain of re-exports that is followed.
const MAX_REEXPORTS: usize = 8;

/// Returns the circles of the sources below `src`, largest first, as module paths.
pub fn circles(src: &Path) -> Vec<Vec<String>> {
    let modules = Modules::read(src);
    let names: Vec<&ModulePath> = modules.0.keys().collect();
    let mut graph = DiGraphMap::<usize, ()>::new();
    for (from, (path, module)) in modules.0.iter().enumerate() {
        for target in module.used.iter().filter_map(|used| modules.defining(path, used)) {
            if let Some(to) = names.iter().position(|name| **name == target)
                && to != from
            {
                graph.add_edge(from, to, ());
            }
        }
    }
    let mut found: Vec<Vec<String>> = tarjan_scc(&graph)
        .into_iter()
        .filter(|circle| circle.len() > 1)
        .map(|circle| circle.into_iter().map(|index| names[index].join("::")).collect())
        .collect();
    found.sort_by_key(|circle| std::cmp::Reverse(circle.len()));
    found
}

/// The imports of one file.
#[derive(Default)]
struct Module {
    /// Paths that it imports or names.
    used: BTreeSet<Vec<String>>,
    /// Names that it re-exports, with their paths.
    reexported: BTreeMap<String, Vec<String>>,
}

struct Modules(BTreeMap<ModulePath, Module>);

impl Modules {
    fn read(src: &Path) -> Self {
        let mut files = Vec::new();
        super::collect(src, "rs", &mut files);
        Self(files.iter().map(|file| (module_path(src, file), Module::read(file))).collect())
    }

    /// Returns the file that defines what `used` names in module `from`; `None` for another crate's name.
    fn defining(&self, from: &[String], used: &[String]) -> Option<ModulePath> {
        let mut path = self.absolute(from, used)?;
        for _ in 0..MAX_REEXPORTS {
            let length = (0..=path.len()).rev().find(|length| self.0.contains_key(&path[..*length]))?;
            let (module, rest) = path.split_at(length);
            let reexported = rest.first().and_then(|name| self.0[module].reexported.get(name));
            match reexported.and_then(|target| self.absolute(module, target)) {
                Some(target) if target.as_slice() != &path[..=length] => path = [&target, &rest[1..]].concat(),
                _ => return Some(module.to_vec()),
            }
        }
        None
    }

    /// Resolves `crate`, `self`, `super` and child modules.
    fn absolute(&self, from: &[String], used: &[String]) -> Option<ModulePath> {
        let supers = used.iter().take_while(|name| *name == "super").count();
        match used.first()?.as_str() {
            "crate" => Some(used[1..].to_vec()),
            "self" => Some([from, &used[1..]].concat()),
            "super" => Some([&from[..from.len().checked_sub(supers)?], &used[supers..]].concat()),
            child => self.0.contains_key(&[from, &[child.to_owned()]].concat()).then(|| [from, used].concat()),
        }
    }
}

impl Module {
    fn read(file: &Path) -> Self {
        let text = fs::read_to_string(file).unwrap();
        let parsed = syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let mut module = Self::default();
        module.visit_file(&parsed);
        module
    }

    fn add(&mut self, visibility: &Visibility, prefix: &[String], tree: &UseTree) {
        match tree {
            UseTree::Path(path) => self.add(visibility, &[prefix, &[path.ident.to_string()]].concat(), &path.tree),
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.add(visibility, prefix, tree)),
            UseTree::Name(name) => self.add_name(visibility, prefix, &name.ident.to_string(), &name.ident.to_string()),
            UseTree::Rename(name) => {
                self.add_name(visibility, prefix, &name.ident.to_string(), &name.rename.to_string());
            }
            UseTree::Glob(_) => drop(self.used.insert(prefix.to_vec())),
        }
    }

    fn add_name(&mut self, visibility: &Visibility, prefix: &[String], name: &str, alias: &str) {
        let path = [prefix, &[name.to_owned()]].concat();
        if matches!(visibility, Visibility::Inherited) {
            self.used.insert(path);
        } else {
            self.reexported.insert(alias.to_owned(), path);
        }
    }
}

impl<'ast> Visit<'ast> for Module {
    fn visit_item(&mut self, item: &'ast Item) {
        match item {
            Item::Mod(module) if is_test(&module.attrs) => {}
            Item::Use(item) if is_test(&item.attrs) => {}
            Item::Use(item) => self.add(&item.vis, &[], &item.tree),
            item => visit::visit_item(self, item),
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if path.segments.len() > 1 {
            self.used.insert(path.segments.iter().map(|segment| segment.ident.to_string()).collect());
        }
        visit::visit_path(self, path);
    }
}

/// Tells whether an item is compiled for tests only: tests may use everything.
fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg") && attribute.parse_args::<syn::Ident>().is_ok_and(|name| name == "test")
    })
}

fn module_path(src: &Path, file: &Path) -> ModulePath {
    let relative: PathBuf = file.strip_prefix(src).unwrap().with_extension("");
    let mut path: ModulePath = relative.iter().map(|part| part.to_string_lossy().into_owned()).collect();
    if path.last().is_some_and(|name| name == "mod") || path == ["lib"] || path == ["main"] {
        path.pop();
    }
    path
}
