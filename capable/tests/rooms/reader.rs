//! What an item declares, imports and mentions.

use proc_macro2::{TokenStream, TokenTree};
use syn::{Attribute, Item, ItemUse, Macro, UseTree, spanned::Spanned as _, visit::Visit};

use super::module::{Mention, Module};

/// Enters an item into its module.
pub fn read(item: &Item, module: &mut Module) {
    Reader { module }.visit_item(item);
}

struct Reader<'a> {
    module: &'a mut Module,
}

impl Reader<'_> {
    fn mention(&mut self, path: Vec<String>, line: usize, imports: bool) {
        self.module.mentions.push(Mention {
            path,
            line,
            imports,
        });
    }

    fn import(&mut self, tree: &UseTree, before: &[String]) {
        let with = |name: &dyn ToString| [before, &[name.to_string()]].concat();
        let line = tree.span().start().line;
        match tree {
            UseTree::Path(path) => self.import(&path.tree, &with(&path.ident)),
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.import(tree, before);
                }
            }
            UseTree::Name(name) if name.ident == "self" => self.bind(before.last(), before, line),
            UseTree::Name(name) => {
                self.bind(Some(&name.ident.to_string()), &with(&name.ident), line)
            }
            UseTree::Rename(rename) if rename.ident == "self" => {
                self.bind(Some(&rename.rename.to_string()), before, line);
            }
            UseTree::Rename(rename) => {
                self.bind(Some(&rename.rename.to_string()), &with(&rename.ident), line);
            }
            UseTree::Glob(_) => {
                self.module.globs.push(before.to_vec());
                self.mention(before.to_vec(), line, true);
            }
        }
    }

    fn bind(&mut self, name: Option<&String>, path: &[String], line: usize) {
        if let Some(name) = name.filter(|name| *name != "_") {
            self.module.names.insert(name.clone(), path.to_vec());
        }
        self.mention(path.to_vec(), line, true);
    }

    /// The paths in what only a macro understands.
    fn tokens(&mut self, tokens: TokenStream) {
        let mut path = Vec::new();
        let mut line = 0;
        let mut joined = true;
        for token in tokens {
            match token {
                TokenTree::Ident(ident) => {
                    if !joined {
                        self.end(&mut path, line);
                    }
                    line = ident.span().start().line;
                    path.push(ident.to_string());
                    joined = false;
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' => joined = true,
                other => {
                    self.end(&mut path, line);
                    joined = true;
                    if let TokenTree::Group(group) = other {
                        self.tokens(group.stream());
                    }
                }
            }
        }
        self.end(&mut path, line);
    }

    fn end(&mut self, path: &mut Vec<String>, line: usize) {
        let path = std::mem::take(path);
        if path.len() > 1 {
            self.mention(path, line, false);
        }
    }
}

impl Visit<'_> for Reader<'_> {
    fn visit_item(&mut self, item: &Item) {
        let declared = match item {
            Item::Const(item) => Some(&item.ident),
            Item::Enum(item) => Some(&item.ident),
            Item::Fn(item) => Some(&item.sig.ident),
            Item::Macro(item) => item.ident.as_ref(),
            Item::Static(item) => Some(&item.ident),
            Item::Struct(item) => Some(&item.ident),
            Item::Trait(item) => Some(&item.ident),
            Item::Type(item) => Some(&item.ident),
            Item::Union(item) => Some(&item.ident),
            _ => None,
        };
        if let Some(name) = declared {
            self.module.items.insert(name.to_string());
        }
        syn::visit::visit_item(self, item);
    }

    fn visit_item_use(&mut self, item: &ItemUse) {
        self.import(&item.tree, &[]);
    }

    /// `pub(in path)` uses nothing.
    fn visit_visibility(&mut self, _: &syn::Visibility) {}

    fn visit_path(&mut self, path: &syn::Path) {
        if path.leading_colon.is_none() && path.segments.len() > 1 {
            let segments = path.segments.iter();
            let names = segments.map(|segment| segment.ident.to_string()).collect();
            self.mention(names, path.span().start().line, false);
        }
        syn::visit::visit_path(self, path);
    }

    fn visit_attribute(&mut self, attribute: &Attribute) {
        if let syn::Meta::List(list) = &attribute.meta {
            self.tokens(list.tokens.clone());
        }
    }

    fn visit_macro(&mut self, called: &Macro) {
        self.visit_path(&called.path);
        self.tokens(called.tokens.clone());
    }
}
